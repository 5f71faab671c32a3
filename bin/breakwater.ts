import { nodeIo } from '../lib/cli/io.ts';
import { runProgram } from '../lib/cli/program.ts';

// Not process.exit(): what is still being written to a pipe would be lost.
process.exitCode = await runProgram(process.argv.slice(2), nodeIo());

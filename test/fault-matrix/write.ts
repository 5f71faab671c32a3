/** `npm run fault-matrix`: plays every cell and writes the page. */

import { writeFileSync } from 'node:fs';
import { PAGE, playAll, render } from './table.ts';

writeFileSync(PAGE, render(await playAll()));

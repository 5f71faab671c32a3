export * from '../../../lib/client/admission.ts';

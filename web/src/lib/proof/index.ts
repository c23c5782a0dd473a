/**
 * The verifier of proof bundles, docs/spec.md section 12. No DOM, no network, no clock: bytes in, result out.
 */
export { parseGenesis, type Genesis } from './genesis';
export { parseBundle, type Bundle } from './bundle';
export { steps, type StepName } from './steps';
export { verifyBundle, verifyBytes, verifyFiles } from './verify';
export type { Amended, Check, Facts, Remark, Report, Result, Step } from './verify';
export { positionText, type Position, type Severity, type VerdictName } from './block';
export { Refused, hex } from './bytes';

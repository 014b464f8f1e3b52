/**
 * fast-check, with the same cases in every CI run: not chance decides whether a change is taken. Elsewhere each run has its own,
 * and whoever fails tells its seed.
 */
import fc from 'fast-check';

if (process.env['CI'] === 'true') fc.configureGlobal({ seed: 20_261_130 });

export default fc;

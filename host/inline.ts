// kinglet/inline: kinglet/run in one file that holds both executors, for pages and workers that should ask for nothing more.
// In: .kgl bytes. Out: a Model. In dist/ the bundler puts the executors' bytes where wasm-files.ts would fetch them (rollup.config.js).
// Must not import more than kinglet/run does.

export * from './run.ts';

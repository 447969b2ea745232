/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  // What the Azure Functions worker does by replacing `require`, jest does by name.
  moduleNameMapper: { '^@azure/functions-core$': '<rootDir>/local/host/functionsCore.cjs' },
  // As many as CI has cores: with more, requests run out of their 25 s.
  maxWorkers: 2,
  testTimeout: 30_000,
  coverageDirectory: 'coverage',
  coverageReporters: ['text', 'lcov'],
  collectCoverageFrom: ['functions/**/*.ts', 'shared/**/*.ts'],
  coverageThreshold: { global: { lines: 95, branches: 95 } },
};

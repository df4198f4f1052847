// The version that --version prints; tests/repo holds it equal to package.json's.

export const version = '0.1.0';

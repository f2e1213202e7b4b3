// Prints `N passed, N failed, N skipped` from vitest's own report; fails when there is none, or when nothing ran.
import { readFileSync } from 'node:fs';

let report;
try {
  report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
} catch (error) {
  console.error(`no test report: ${error.message}`);
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}
const skipped = report.numPendingTests + report.numTodoTests;
// A file that could not be loaded has no tests to count, and is a failure all the same.
const brokenFiles = report.testResults.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
).length;
const failed = report.numFailedTests + brokenFiles;
// Passed at the second attempt: someone has to repair the test, or the fault that it shows.
for (const { name, assertionResults } of report.testResults) {
  for (const { status, fullName, failureMessages } of assertionResults) {
    if (status !== 'passed' || failureMessages.length === 0) continue;
    console.log(`unstable: ${name}: ${fullName}\n  ${failureMessages[0].split('\n')[0]}`);
  }
}
console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || report.numPassedTests === 0 ? 1 : 0);

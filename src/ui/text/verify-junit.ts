import type { XbstreamError } from '../../errors.js';
import { printable } from '../printable.js';
import type { Verification, VerifyReporter } from '../reporter.js';
import { TextPrinter } from './text-printer.js';
import { byFile, placeOf, verdict } from './verify-text.js';

/** A verification as a JUnit report, which CI systems show: a test for the archive, and one for each file with a problem. */
export class VerifyJunitReporter extends TextPrinter implements VerifyReporter {
  verified(verification: Verification): void {
    const { isWhole, archiveName, elapsedSeconds, problems, digests } = verification;
    const groups = [...byFile(problems)];
    const name = archiveName === '-' ? 'stdin' : archiveName;
    const time = elapsedSeconds.toFixed(3);
    const counts = `tests="${groups.length + 1}" failures="${groups.length + (isWhole ? 0 : 1)}" errors="0" time="${time}"`;
    this.list(`<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts}>\n`);
    this.list(`  <testsuite name="${xml(`tsxbstream verify ${name}`)}" ${counts}>\n`);
    const properties = Object.entries(digests).map(
      ([digest, hex]) => `      <property name="${xml(digest)}" value="${xml(hex)}"/>\n`,
    );
    if (properties.length > 0) this.list(`    <properties>\n${properties.join('')}    </properties>\n`);
    this.list(testCase(name, 'the archive is whole', time, isWhole ? undefined : verdict(verification), []));
    for (const [file, group] of groups) this.list(testCase(name, file, '0', group[0]!.message, group));
    this.conclude('  </testsuite>\n</testsuites>\n');
  }
}

function testCase(
  suite: string,
  name: string,
  time: string,
  failure: string | undefined,
  problems: readonly XbstreamError[],
): string {
  const opening = `    <testcase classname="${xml(suite)}" name="${xml(name)}" time="${time}"`;
  if (failure === undefined) return `${opening}/>\n`;
  const text = problems.flatMap((problem) => [
    `${problem.code}${placeOf(problem)}: ${problem.message}`,
    ...problem.details.map((line) => `  ${line}`),
  ]);
  const type = problems[0]?.code ?? 'incomplete';
  const body = xmlLines(text);
  return `${opening}>\n      <failure type="${xml(type)}" message="${xml(failure)}">${body}</failure>\n    </testcase>\n`;
}

function xmlLines(lines: readonly string[]): string {
  return lines.map(xml).join('\n');
}

/** XML 1.0 has no way to write most control characters: they come printable. */
function xml(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[\ufffe\uffff]/g, '?');
}

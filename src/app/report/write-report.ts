import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText, TurnwiseError } from '../../core/error.ts';
import type { ReportData } from './report-data.ts';
import { GENERATOR, reportPage } from './report-page.ts';

/** Writes the report into a folder, which is made, and gives its path. An earlier report is replaced whole, another page is not. */
export function writeReport(folder: string, data: ReportData): string {
  const path = join(folder, 'index.html');
  try {
    mkdirSync(folder, { recursive: true });
    if (existsSync(path) && !readFileSync(path, 'utf8').includes(GENERATOR)) {
      throw new TurnwiseError('usage', 'not_a_report', `${path} is another page; choose another folder.`);
    }
    writeFileSync(`${path}.tmp`, reportPage(data));
    renameSync(`${path}.tmp`, path);
    return path;
  } catch (thrown) {
    if (thrown instanceof TurnwiseError) throw thrown;
    throw new TurnwiseError(
      'usage',
      'unusable_folder',
      `${folder} cannot be written (${errorText(thrown)}); choose another folder.`,
    );
  }
}

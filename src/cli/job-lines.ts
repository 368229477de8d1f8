import type { JobReport } from '../app/scoring-worker.ts';
import { wordsOf } from '../core/gist.ts';
import { oneLine, signed } from '../core/review.ts';
import type { Journal } from '../store/journal.ts';
import { printJson } from './command.ts';

/** What a worker on the command line has done. */
interface Total {
  scored: number;
  failed: number;
  gains_defined: number;
  /** Null: some server did not say. */
  tokens_evaluated: number | null;
}

/** Tells on stdout how each job ended: a line for a person, or an object each. */
export class JobPrinter {
  readonly total: Total = { scored: 0, failed: 0, gains_defined: 0, tokens_evaluated: 0 };
  readonly #journal: Journal;
  readonly #json: boolean;

  constructor(journal: Journal, json: boolean) {
    this.#journal = journal;
    this.#json = json;
  }

  job(report: JobReport): void {
    this.#count(report);
    if (this.#json) printJson(objectOf(report));
    else process.stdout.write(`${clock()}  ${lineOf(report)}  ${this.#titleOf(report.episodeId)}\n`);
  }

  /** Something besides the jobs; not for a program. */
  say(words: string): void {
    if (!this.#json) process.stdout.write(`${clock()}  ${words}\n`);
  }

  summary(): void {
    const { scored, failed, gains_defined: gains, tokens_evaluated: tokens } = this.total;
    const cost = tokens === null ? 'tokens unknown' : `${tokens} tokens evaluated`;
    this.say(
      `${scored} ${scored === 1 ? 'conversation' : 'conversations'} scored, ${gains} gains, ${cost}${failed === 0 ? '' : `; ${failed} failed`}`,
    );
  }

  #count(report: JobReport): void {
    const { total } = this;
    if (report.outcome === 'failed') {
      if (report.retryMs === null) total.failed += 1;
      return;
    }
    const { turns, tokens_evaluated: tokens } = report.scored;
    total.scored += 1;
    total.gains_defined += turns.filter(({ gain }) => gain !== null).length;
    total.tokens_evaluated =
      total.tokens_evaluated === null || tokens === null ? null : total.tokens_evaluated + tokens;
  }

  #titleOf(id: string): string {
    const request = this.#journal.read(id).find(({ body }) => body.type === 'request_accepted')?.body;
    return request?.type === 'request_accepted' ? oneLine(wordsOf(request.text), 48) : id;
  }
}

function lineOf(report: JobReport): string {
  const took = `${(report.ms / 1000).toFixed(1)} s`;
  if (report.outcome === 'failed') {
    const next = report.retryMs === null ? 'failed' : `again in ${Math.ceil(report.retryMs / 1000)} s`;
    return `${next}  ${report.reason}: ${report.message}`;
  }
  const gains = report.scored.turns.flatMap(({ gain }) => gain ?? []);
  if (gains.length === 0) return `scored  no gain defined, ${took}`;
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
  return `scored  ${gains.length} ${gains.length === 1 ? 'gain ' : 'gains'}, mean ${signed(mean, 3)} nats, ${took}`;
}

function objectOf(report: JobReport): object {
  const { episodeId: episode_id, ms } = report;
  if (report.outcome === 'failed') {
    const { reason, message, retryMs: retry_ms } = report;
    return { episode_id, outcome: 'failed', reason, message, retry_ms, ms };
  }
  const { turns, tokens_evaluated, tokens_limit } = report.scored;
  return { episode_id, outcome: 'scored', gains: turns.map(({ gain }) => gain), tokens_evaluated, tokens_limit, ms };
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}

import { Worker } from 'node:worker_threads';
import { languageNamed } from '../core/guess-language.ts';
import { highlightAnswerSchema, type HighlightJob } from '../core/highlight-job.ts';
import type { ThemeKind } from '../core/theme-kind.ts';
import type { HighlightView } from '../core/webview-protocol.ts';

/** Code that takes longer than this, ms, is hostile to its grammar: its thread is ended, and it stays plain. */
const PATIENCE_MS = 3_000;
/** The first piece waits for the thread itself, too, on a machine that may be busy. */
const FIRST_PATIENCE_MS = 15_000;
/** A thread without work is ended after this time, ms: its grammars are some megabytes. */
const IDLE_MS = 120_000;

interface Waiting {
  readonly job: HighlightJob;
  readonly done: (highlight: HighlightView | null) => void;
}

/** Colours code, one piece after the other, in a thread that exists only while there is something to colour. */
export class Highlighter {
  readonly #script: string;
  #worker: Worker | null = null;
  #queue: Waiting[] = [];
  #current: Waiting | null = null;
  #timer: NodeJS.Timeout | null = null;
  #jobs = 0;

  /** `script`: path of the built `highlight.js`. */
  constructor(script: string) {
    this.#script = script;
  }

  /** The colours of a code, or null where there are none: a language that is not known, or code that takes too long. */
  highlight(code: string, language: string, theme: ThemeKind): Promise<HighlightView | null> {
    const known = languageNamed(language);
    if (known === null || code === '') return Promise.resolve(null);
    this.#jobs += 1;
    const job: HighlightJob = { id: this.#jobs, code, language: known, theme };
    return new Promise((done) => {
      this.#queue.push({ job, done });
      this.#next();
    });
  }

  dispose(): void {
    this.#end();
    for (const { done } of this.#queue.splice(0)) done(null);
  }

  #next(): void {
    if (this.#current !== null) return;
    const waiting = this.#queue.shift() ?? null;
    this.#current = waiting;
    if (waiting === null) {
      if (this.#worker !== null) this.#after(IDLE_MS);
      return;
    }
    this.#after(this.#worker === null ? FIRST_PATIENCE_MS : PATIENCE_MS);
    this.#worker ??= this.#start();
    this.#worker.postMessage(waiting.job);
  }

  #start(): Worker {
    const worker = new Worker(this.#script);
    worker.unref();
    worker.on('message', (raw: unknown) => {
      const answer = highlightAnswerSchema.safeParse(raw);
      if (worker === this.#worker && answer.data?.id === this.#current?.job.id) {
        this.#settle(answer.data?.highlight ?? null);
      }
    });
    worker.on('error', () => {
      if (worker === this.#worker) this.#end();
    });
    return worker;
  }

  #after(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#end();
    }, ms).unref();
  }

  /** Ends the thread with what it works at; the next piece gets a new one. */
  #end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    void this.#worker?.terminate();
    this.#worker = null;
    if (this.#current !== null) this.#settle(null);
  }

  #settle(highlight: HighlightView | null): void {
    const current = this.#current;
    this.#current = null;
    current?.done(highlight);
    this.#next();
  }
}

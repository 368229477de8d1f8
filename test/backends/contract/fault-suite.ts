import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../../../src/app/score.ts';
import { openJsonClient } from '../../../src/backends/json-client.ts';
import type { RemoteServer } from '../../../src/backends/remote-server.ts';
import type { Backend, ScoreSequence } from '../../../src/core/backend.ts';
import { TurnwiseError } from '../../../src/core/error.ts';
import { trueLogprobs } from '../protocol/byte-model.ts';
import type { Fault, RowFault } from '../protocol/faults.ts';
import { NOT_REAL, type ProtocolServer } from '../protocol/serve.ts';
import { writeTokenizerFolder } from '../protocol/tokenizer-folder.ts';
import type { ScorerKind } from './leaving-child.ts';
import { sequencesOfTalk, worst, writeTalk } from './talks.ts';

/** Switches that every protocol server has. */
export interface ServerOptions {
  readonly otherTokenizer?: boolean;
  readonly otherTemplate?: boolean;
  readonly unsteady?: boolean;
}

export interface FaultSubject {
  readonly start: (options?: ServerOptions) => Promise<ProtocolServer>;
  readonly open: (server: RemoteServer) => Backend;
  readonly kind: ScorerKind;
  /** Whether the client needs a folder with the tokenizer, since the server has no routes for it. */
  readonly needsFolder?: boolean;
  /** The reason that each fault in the rows ends in; one that cannot befall this protocol is left out. */
  readonly rows: Readonly<Partial<Record<RowFault, string>>>;
  /** The same where `echo` is ignored. */
  readonly echoIgnored?: string;
  /** The answer is cut at every so many bytes: a client that connects anew after each takes its time. */
  readonly cutEvery: number;
  /** Whether the server says how it renders a conversation. */
  readonly tellsTemplate: boolean;
}

/** After which a server that hangs on purpose is given up. */
const SILENCE_MS = 300;
const LEAVING = join(import.meta.dirname, 'leaving-child.ts');
/** Breaking the connection behind every byte would say the same again, more slowly. */
const BREAK_EVERY = 11;

/** Each fault on demand ends in its named reason, and never in a number. */
export function faultSuite(name: string, subject: FaultSubject): void {
  describe(`faults: ${name} (${NOT_REAL})`, () => {
    let folder: string;
    let server: ProtocolServer;
    let backend: Backend;
    let sequence: ScoreSequence;
    let talk: readonly ScoreSequence[];
    const remote = (changes: Partial<RemoteServer> = {}): RemoteServer => ({
      ...{ url: server.url, model: null, apiKey: null, tokenizer: subject.needsFolder ? folder : null },
      ...changes,
    });
    beforeAll(async () => {
      folder = writeTokenizerFolder();
      server = await subject.start();
      backend = subject.open(remote());
      // One token over and over: rows of another position do not show in their ids.
      const [ids = []] = await backend.tokenize(['<|im_start|>user\nxxxxxxxxxxxxxxxx']);
      sequence = { ids, from: ids.length - 9, to: ids.length };
      talk = await sequencesOfTalk(backend, 'fault', 2);
    });
    afterAll(async () => {
      await backend.close();
      await server.close();
      rmSync(folder, { recursive: true });
    });

    const withFault = async (fault: Fault, act: () => Promise<void>): Promise<void> => {
      server.fault = fault;
      server.faultsLeft = Infinity;
      try {
        await act();
      } finally {
        server.fault = null;
      }
    };
    /** On a connection that was made in time, and as the first thing that is seen; then the same backend scores again. */
    const expectReason = async (fault: Fault, reason: string | RegExp, atConnect = reason): Promise<void> => {
      const fresh = subject.open(remote());
      await withFault(fault, async () => {
        await expect(backend.score([sequence])).rejects.toSatisfy(isNamed(reason));
        const thrown: unknown = await fresh.score([sequence]).then(
          (numbers) => ({ numbers }),
          (error: unknown) => error,
        );
        expect(thrown).toSatisfy(isNamed(atConnect));
      });
      for (const recovered of [backend, fresh]) {
        const { logprobs } = await recovered.score([sequence]);
        expect(worst(logprobs, [trueLogprobs(sequence)])).toBeLessThan(1e-4);
      }
      await fresh.close();
    };

    test.each(Object.entries(subject.rows))('rows: %s is %s', async (fault, reason) => {
      const at = fault === 'short' ? sequence.from : sequence.from + 4;
      // The text that is scored at connect is another one, so that the same fault may show in another way.
      await expectReason(
        { what: 'rows', fault: fault as RowFault, at },
        reason,
        /_rows?$|^wrong_count$|^impossible_logprob$|^tokenizer_mismatch$/,
      );
    });

    const { echoIgnored } = subject;
    if (echoIgnored !== undefined) {
      test('an ignored echo', () => expectReason({ what: 'echo_ignored' }, echoIgnored));
    }

    test.each([
      [500, 'server_error'],
      [503, 'server_error'],
      [429, 'rate_limited'],
      [401, 'unauthorized'],
    ])('HTTP %i is %s', (status, reason) => expectReason({ what: 'status', status }, reason));

    test('a server without the routes', async () => {
      const paths = ['/inference/v1/generate', '/v1/completions', '/generate', '/completion', '/completions'];
      await expectReason({ what: 'no_route', paths }, 'route_missing');
    });

    test('a web page, and JSON of another kind', async () => {
      await expectReason({ what: 'text', text: '<html>Welcome</html>' }, 'malformed_answer');
      // What has no rows may be said to have too few.
      await expectReason({ what: 'text', text: '{"hello":[1]}' }, /^(malformed_answer|short_rows|echo_ignored)$/);
    });

    test('a connection that is dropped', () => expectReason({ what: 'drop' }, 'connection_lost'));

    test.each([undefined, 20])('a server that hangs behind %s bytes is given up', async (afterBytes) => {
      const hanging: Fault = { what: 'hang', ...(afterBytes === undefined ? {} : { afterBytes }) };
      const [connected, fresh] = [1, 2].map(() => subject.open(remote({ silenceMs: SILENCE_MS })));
      await connected?.facts();
      await withFault(hanging, async () => {
        for (const hasty of [connected, fresh]) {
          await expect(hasty?.score([sequence])).rejects.toMatchObject({ reason: 'hung' });
        }
        await expect.poll(() => server.waiting.now).toBe(0);
      });
    });

    test(`an answer that is cut at ${subject.cutEvery === 1 ? 'any byte' : `any byte, by ${subject.cutEvery}`} is never a number`, async () => {
      const short = { ids: sequence.ids.slice(0, 6), from: 3, to: 6 };
      await backend.score([short]);
      const { answerBytes } = server;
      expect(answerBytes).toBeGreaterThan(100);
      const reasons = new Set<string>();
      const cut = async (bytes: number, how: 'end' | 'break'): Promise<void> => {
        await backend.facts();
        await withFault({ what: 'cut', bytes, how }, async () => {
          const thrown: unknown = await backend.score([short]).catch((error: unknown) => error);
          expect(thrown).toBeInstanceOf(TurnwiseError);
          reasons.add((thrown as TurnwiseError).reason);
        });
      };
      // From the end, which is never left out.
      for (let bytes = answerBytes - 1; bytes >= 0; bytes -= subject.cutEvery) await cut(bytes, 'end');
      for (let bytes = answerBytes - 1; bytes >= 0; bytes -= subject.cutEvery * BREAK_EVERY) await cut(bytes, 'break');
      expect([...reasons].sort()).toEqual(['connection_lost', 'cut_off']);
    });

    test('its answer, cut at any byte, is no answer to whoever reads it as JSON', async () => {
      const path = scoringPath(server);
      const asked = server.seen.findLast((one) => one.path === path)?.body;
      const client = openJsonClient({ name: 'It', url: server.url, key: null });
      await client.post(path, asked as object, z.unknown());
      const { answerBytes } = server;
      for (let bytes = 0; bytes < answerBytes; bytes += 1) {
        await withFault({ what: 'cut', bytes, how: 'end' }, async () => {
          await expect(client.post(path, asked as object, z.unknown())).rejects.toMatchObject({ reason: 'cut_off' });
        });
      }
    });

    test.each([undefined, 30])(
      'leaving a server that hangs behind %s bytes is prompt, and closes the connection',
      async (afterBytes) => {
        await withFault({ what: 'hang', ...(afterBytes === undefined ? {} : { afterBytes }) }, async () => {
          const leaving = new AbortController();
          const left = expect(backend.score(talk, { signal: leaving.signal })).rejects.toMatchObject({
            reason: 'aborted',
          });
          await expect.poll(() => server.waiting.now).toBeGreaterThan(0);
          leaving.abort();
          await left;
          await expect.poll(() => server.waiting.now).toBe(0);
        });
      },
    );

    test('a process that left a hanging server has nothing left to wait for', async () => {
      const child = spawn(process.execPath, [LEAVING, subject.kind, server.url, subject.needsFolder ? folder : ''], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
      await expect.poll(() => said, { timeout: 30_000 }).toBe('connected\n');
      await withFault({ what: 'hang' }, async () => {
        child.stdin.end('go\n');
        // By itself: what it still held would keep it.
        expect(await ended).toBe(0);
      });
      expect(said).toBe('connected\naborted\n');
      await expect.poll(() => server.waiting.now).toBe(0);
    });

    test('a fault in the middle of an episode: the truth or a named reason, and then the truth', async () => {
      const truth = talk.map(trueLogprobs);
      const faults: readonly Fault[] = [
        ...Object.keys(subject.rows).map((fault): Fault => ({ what: 'rows', fault: fault as RowFault })),
        { what: 'status', status: 500 },
        { what: 'drop' },
        { what: 'cut', bytes: 50, how: 'break' },
      ];
      let failed = 0;
      for (const [at, fault] of faults.entries()) {
        for (const skipped of [0, 2]) {
          const session = `middle-${at}-${skipped}`;
          const asked = server.seen.length;
          // Befalls one request alone: the one behind `skipped` others.
          server.fault = fault;
          server.faultsLeft = 1;
          server.faultsBefore = skipped;
          const scoring = backend.score(talk, { session }).then(
            ({ logprobs }) => {
              expect(worst(logprobs, truth)).toBeLessThan(1e-4);
            },
            (thrown: unknown) => {
              failed += 1;
              expect(thrown).toBeInstanceOf(TurnwiseError);
            },
          );
          await scoring;
          server.fault = null;
          server.faultsBefore = 0;
          expect(server.seen.length).toBeGreaterThan(asked);
          // What a queue does next: the same job under the same session.
          const { logprobs } = await backend.score(talk, { session });
          expect(worst(logprobs, truth)).toBeLessThan(1e-4);
        }
      }
      expect(failed).toBeGreaterThan(0);
    });

    test('an episode that meets a fault is null in every turn, with the reason in words', async () => {
      await withFault({ what: 'status', status: 500 }, async () => {
        for await (const { turns, tokens_evaluated: tokens } of scoreTranscripts([writeTalk('null', 2)], {
          backend,
          options: DEFAULT_SCORE_OPTIONS,
        })) {
          expect(tokens).toBeNull();
          expect(turns.map(({ gain, logp_factual: row }) => [gain, row])).toEqual(turns.map(() => [null, null]));
          expect(turns.map(({ null_reason: reason }) => reason)).toEqual([
            ...['backend_failed', 'backend_failed'],
            'no_next_action',
          ]);
          expect(turns[0]?.null_detail).toMatch(/500/);
        }
      });
    });

    test('nobody there', async () => {
      const gone = await subject.start();
      await gone.close();
      const nobody = subject.open(remote({ url: gone.url }));
      await expect(nobody.facts()).rejects.toMatchObject({ reason: 'unreachable' });
      await expect(nobody.score([sequence])).rejects.toMatchObject({ reason: 'unreachable' });
    });

    test('another tokenizer than the folder’s', async () => {
      const other = await subject.start({ otherTokenizer: true });
      const mistaken = subject.open(remote({ url: other.url, tokenizer: folder }));
      await expect(mistaken.facts()).rejects.toMatchObject({ reason: 'tokenizer_mismatch' });
      await expect(mistaken.score([sequence])).rejects.toMatchObject({ reason: 'tokenizer_mismatch' });
      await other.close();
    });

    if (subject.tellsTemplate) {
      test('another template than the folder’s', async () => {
        const other = await subject.start({ otherTemplate: true });
        const mistaken = subject.open(remote({ url: other.url, tokenizer: folder }));
        await expect(mistaken.facts()).rejects.toMatchObject({ reason: 'template_mismatch' });
        await expect(mistaken.score([sequence])).rejects.toMatchObject({ reason: 'template_mismatch' });
        await other.close();
      });
    }

    test('a server that gives one text two scores', async () => {
      const other = await subject.start({ unsteady: true });
      const unsteady = subject.open(remote({ url: other.url }));
      await expect(unsteady.facts()).rejects.toMatchObject({ reason: 'unsteady_scores' });
      await expect(unsteady.score([sequence])).rejects.toMatchObject({ reason: 'unsteady_scores' });
      await other.close();
    });

    test('who leaves while it connects takes nobody along', async () => {
      const shared = subject.open(remote());
      const leaving = new AbortController();
      const [left, stayed] = await Promise.allSettled([
        shared.score([sequence], { signal: leaving.signal }),
        shared.score([sequence]),
        Promise.resolve().then(() => {
          leaving.abort();
        }),
      ]);
      expect(left).toMatchObject({ status: 'rejected', reason: { reason: 'aborted' } });
      if (stayed.status === 'rejected') throw stayed.reason as Error;
      expect(worst(stayed.value.logprobs, [trueLogprobs(sequence)])).toBeLessThan(1e-4);
    });

    test('the folder’s tokenizer and the server’s own give the same scores', async () => {
      const local = subject.open(remote({ tokenizer: folder }));
      const planned = await sequencesOfTalk(local, 'fault', 2);
      expect(planned.map(({ ids, from, to }) => ({ ids, from, to }))).toEqual(
        talk.map(({ ids, from, to }) => ({ ids, from, to })),
      );
      expect((await local.facts()).identity.tokenizer_sha).toMatch(/^[0-9a-f]{64}$/);
    });
  });
}

/** A `TurnwiseError` of this reason, in words that end like a sentence. */
const isNamed =
  (reason: string | RegExp) =>
  (thrown: unknown): boolean =>
    thrown instanceof TurnwiseError &&
    (typeof reason === 'string' ? thrown.reason === reason : reason.test(thrown.reason)) &&
    /\w.*[;.,].*\.$/.test(thrown.message);

/** The route that the last score went through. */
function scoringPath({ seen }: ProtocolServer): string {
  const found = seen.findLast(({ path }) => /generate|completions?$/.test(path) && !path.includes('chat'));
  if (!found) throw new Error('Nothing was scored.');
  return found.path;
}

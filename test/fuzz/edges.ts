import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readCalibration } from '../../src/cli/calibration-file.ts';
import { readJsonl } from '../../src/cli/files.ts';
import { readTranscripts } from '../../src/cli/transcripts.ts';
import { prepareImport } from '../../src/app/import.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import { CALIBRATION_SCHEMA } from '../../src/core/calibration.ts';
import { causalLimit } from '../../src/core/plan/trie.ts';
import { reduce } from '../../src/core/reduce.ts';
import { scoredEpisodeSchema } from '../../src/core/scored-episode.ts';
import { reviewPageMessageSchema } from '../../src/core/review-protocol.ts';
import { readSettings } from '../../src/core/settings.ts';
import { sha256Text } from '../../src/core/sha.ts';
import { renderChat } from '../../src/core/render-chat.ts';
import { segment } from '../../src/core/transcript.ts';
import { safeLink, webviewMessageSchema } from '../../src/core/webview-protocol.ts';
import { parseBody } from '../../src/engine/http.ts';
import { scoreRequestSchema } from '../../src/engine/requests.ts';
import { decodeEvent } from '../../src/store/event-row.ts';
import { sampleEvents, sampleScores, sampleSpecs } from '../core/dataset/sample.ts';
import { sampleState } from '../app/export-fixture.ts';
import type { Edge, Outcome } from './edge.ts';
import { sseEdge } from './sse-edge.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwise-fuzz-'));
process.on('exit', () => {
  rmSync(folder, { recursive: true, force: true });
});

/** Lines of JSON, `space` behind every comma and blank lines between. */
const lines = (value: unknown, space: string): string =>
  (Array.isArray(value) ? value : [value]).map((one) => `${spaced(one, space)}\n${space === '' ? '' : '\n'}`).join('');
const plain = (value: unknown, space: string): string => spaced(value, space);

/** JSON with white space around its signs, and no line break, which a line of JSON cannot hold. */
function spaced(value: unknown, space: string): string {
  const text = JSON.stringify(value);
  return space === ''
    ? text
    : text.replace(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g, (piece) => (piece.startsWith('"') ? piece : ` ${piece}${space}`));
}

/** A file with these bytes. */
function fileOf(bytes: Buffer): string {
  const file = join(folder, 'input');
  writeFileSync(file, bytes);
  return file;
}

async function outcome(work: () => unknown): Promise<Outcome> {
  try {
    return { end: 'understood', value: await work() };
  } catch (thrown) {
    if (thrown instanceof TurnwiseError) return { end: 'refused', reason: thrown.reason };
    return { end: 'unexpected', what: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
  }
}

/** JSON as a page or a test hands it over, once it is a value; what is no JSON never becomes one. */
function valueOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new TurnwiseError('input', 'malformed_json', 'This is no JSON; nothing was read.');
  }
}

const specs = sampleSpecs.slice(0, 4);
const eventRow = (body: unknown): Record<string, unknown> => ({
  ...{ id: 'i', episode_id: 'e', seq: 0, at: 5, version: 1, type: 'x' },
  body: JSON.stringify(body),
});
const rowSha = ({ id, episode_id, seq, at, version, type, body }: Record<string, unknown>): string =>
  sha256Text(JSON.stringify([id, episode_id, seq, at, version, type, body]));

export const EDGES: Readonly<Record<string, Edge>> = {
  sse: sseEdge,
  conversations: {
    inputs: [
      [
        {
          episode_id: 'a',
          messages: [
            { role: 'user', content: 'x' },
            { role: 'assistant', content: 'y' },
          ],
        },
      ],
      specs.map((spec) => {
        const state = sampleState(spec);
        return {
          episode_id: state.id,
          group_id: state.groupId,
          outcome: 0.5,
          messages: state.messages,
          mine: { a: [1] },
        };
      }),
    ],
    write: lines,
    read: (bytes) =>
      outcome(async () => {
        const file = fileOf(bytes);
        const rows = await readTranscripts(file);
        const prepared = prepareImport(
          file,
          rows.map((value, index) => ({ line: index + 1, value })),
        );
        return { rows, spans: rows.map(({ messages }) => segment(messages)), prepared: prepared.length };
      }),
  },
  scores: {
    inputs: specs.map((spec) => [sampleScores(sampleState(spec), spec)]),
    write: lines,
    read: (bytes) =>
      outcome(() => readJsonl(fileOf(bytes), scoredEpisodeSchema).then((rows) => rows.map(({ value }) => value))),
  },
  'stored rows': {
    inputs: [
      ...specs.map((spec) => sampleEvents(spec)),
      [
        ...specs.slice(0, 1).flatMap((spec) => sampleEvents(spec)),
        { type: 'titled', title: 'Prices' },
        { type: 'override_set', turn: 0, change: { field: 'label', value: 'useful' } },
        { type: 'override_undone', seq: 3 },
      ],
    ],
    // The body is what a person could have changed; the row around it fits, else nothing but the checksum would be tried.
    write: (value, space) =>
      JSON.stringify(
        (Array.isArray(value) ? value : [value]).map((body: unknown, seq) => ({
          ...eventRow(body),
          seq,
          body: spaced(body, space),
        })),
      ),
    read: (bytes) =>
      outcome(() => {
        const rows = z.array(z.record(z.string(), z.unknown())).safeParse(valueOf(bytes));
        const list = rows.success ? rows.data : [{}];
        const events = list.map((row) => decodeEvent('store.db', { ...row, sha: rowSha(row) }));
        return reduce(events);
      }),
  },
  plans: {
    inputs: [
      { session: 's', sequences: [{ ids: [1, 2, 3, 4], from: 2, to: 4 }] },
      {
        sequences: [
          { ids: [1, 2, 3, 4], from: 1, to: 4 },
          { ids: [1, 2, 9, 4], from: 3, to: 4 },
        ],
        stream: true,
      },
    ],
    write: plain,
    read: (bytes) =>
      outcome(() => {
        const body = parseBody(scoreRequestSchema, valueOf(bytes));
        return { body, limit: causalLimit(body.sequences) };
      }),
  },
  templates: {
    inputs: [
      "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' -}}{%- endfor -%}{%- if add_generation_prompt -%}{{- 'go' -}}{%- endif -%}",
      "{% if messages[0]['role'] == 'system' %}{{ messages[0].content | trim }}{% else %}{{ raise_exception('no') }}{% endif %}{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ ns.n ~ m.content[:3] }}{% endfor %}",
      '{% macro say(x) %}[{{ x | tojson }}]{% endmacro %}{% for i in range(3) %}{{ say(messages[i % 1].content) }}{% endfor %}{{ eos_token }}',
    ],
    write: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
    read: (bytes) =>
      outcome(() => {
        const source = bytes.toString('utf8');
        const template = { source, endOfTurn: [], bosToken: null, eosToken: '</s>' };
        return renderChat(
          template,
          [
            { role: 'user', content: 'one two' },
            { role: 'assistant', content: 'ok' },
          ],
          { addGenerationPrompt: true },
        );
      }),
  },
  'webview messages': {
    inputs: [
      { type: 'send', episode: null, id: 'a', text: 'hello', option: null },
      { type: 'choose', episode: 'e', id: 'a', turn: 0, option: 1 },
      { type: 'consent', episode: 'e', scope: 'exportable' },
      { type: 'draft', episode: 'e', text: 'half a' },
      { type: 'open_link', href: 'https://example.com/a?b#c' },
      { type: 'edit_reply', episode: 'e', id: 'b', turn: 2, text: 'no, cents' },
      { type: 'edit_draft', episode: 'e', edit: { target: { at: 'option', turn: 0, option: 1 }, text: 'half' } },
      { type: 'show_version', episode: 'e', target: 'f' },
      { type: 'rate', episode: 'e', turn: null, thumb: 1 },
      { type: 'attach', path: 'src/prices.py' },
      { type: 'highlight', request: 3, language: 'python', code: 'x = 1' },
    ],
    write: plain,
    read: (bytes) =>
      outcome(() => {
        const parsed = webviewMessageSchema.safeParse(valueOf(bytes));
        if (!parsed.success) throw new TurnwiseError('input', 'refused_message', 'The page sent what it may not.');
        return parsed.data.type === 'open_link' ? [parsed.data, safeLink(parsed.data.href)] : parsed.data;
      }),
  },
  'review messages': {
    inputs: [
      { type: 'select', turn: 3 },
      { type: 'compare', a: 'e', b: 'f' },
      { type: 'label', turn: 0, label: 'useful' },
      { type: 'note', turn: null, note: 'It told much.' },
      { type: 'exclude', turn: 1, excluded: true },
      { type: 'open_episode', episode: 'e' },
    ],
    write: plain,
    read: (bytes) =>
      outcome(() => {
        const parsed = reviewPageMessageSchema.safeParse(valueOf(bytes));
        if (!parsed.success) throw new TurnwiseError('input', 'refused_message', 'The page sent what it may not.');
        return parsed.data;
      }),
  },
  settings: {
    inputs: [
      {
        servers: [{ name: 'gpu', url: 'https://gpu.example/v1', model: 'm', scorer: 'vllm', tokenizer: 'hf:a/b' }],
        'chat.server': 'gpu',
      },
      {
        'chat.temperature': 0.5,
        'chat.maxTurns': 3,
        'scoring.enabled': false,
        'store.path': '/x',
        'scoring.estimator': 'k3',
      },
    ],
    write: plain,
    read: (bytes) =>
      outcome(() => {
        const given = valueOf(bytes);
        const record = typeof given === 'object' && given !== null ? given : {};
        const { settings, problems } = readSettings((key) =>
          Object.hasOwn(record, key) ? Reflect.get(record, key) : undefined,
        );
        if (problems.length > 0)
          throw new TurnwiseError('usage', 'bad_setting', problems.map(({ message }) => message).join(' '));
        return settings;
      }),
  },
  'calibration files': {
    inputs: [
      {
        schema: CALIBRATION_SCHEMA,
        scorer: { id: 'm', revision: null, tokenizer_sha: 't', template_sha: 'c', backend: 'b', version: null },
        placebo: [
          { estimator: 'shift_mean', clip: null, placeholder: 'x', mask_mode: 'natural', n: 60, mean: 0.1, sd: 0.2 },
        ],
        fitness: [],
      },
    ],
    write: plain,
    read: (bytes) =>
      outcome(async () => {
        const scorer = { id: 'm', revision: null, tokenizer_sha: 't', template_sha: 'c', backend: 'b', version: null };
        return (await readCalibration(fileOf(bytes))).get(scorer);
      }),
  },
};

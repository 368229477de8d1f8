import { z } from 'zod';
import { DEFAULT_ANSWER_MARKER, DEFAULT_MAX_TURNS, SKIP_SENTENCE } from './agent-protocol.ts';
import { poolBySchema, presetSchema } from './credit/ledger.ts';
import { estimatorSchema } from './scored-episode.ts';
import { SCORER_KINDS } from './scorer-kind.ts';

/** The name of the profile that is always there: the local engine. */
export const ENGINE_PROFILE = 'engine';

/** An OpenAI-compatible server as the developer describes it; its key lives in SecretStorage under its name. */
export const serverProfileSchema = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,63}$/)
    .refine((name) => name !== ENGINE_PROFILE, { message: `"${ENGINE_PROFILE}" is the local engine` })
    .meta({ description: 'What the profile is called, here and in the status bar.' }),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/^https?:\/\/[^/?#]*@/i.test(url), {
      message: 'a key does not belong in the address: leave it out, and give it with "Turnwise: Set Server Key"',
    })
    .meta({ description: 'Base URL, up to and including /v1.' }),
  model: z.string().min(1).meta({ description: 'Name of the model as the server knows it.' }),
  scorer: z
    .enum([...SCORER_KINDS, 'none'])
    .default('openai-completions')
    .meta({
      description: 'How it scores given tokens: the kind of server it is; `none` where it only chats.',
    }),
  tokenizer: z.string().min(1).optional().meta({
    description:
      "The scorer's tokenizer: a folder with its tokenizer.json and configuration, or `hf:owner/name`, fetched once after you agree. Left out: what the server itself offers.",
  }),
});
export type ServerProfile = z.infer<typeof serverProfileSchema>;

/** What a person may set; `scope: machine` keeps it out of workspace files, so that no repository can choose a server or a path. */
type Scope = 'machine' | 'window' | 'machine-overridable';

const setting = <T extends z.ZodType>(schema: T, scope: Scope, description: string): T =>
  schema.meta({ description, scope });

/** Every setting, by its key behind `turnwise.`: shape, default, words and scope. `package.json` is held against it by a test. */
export const settingsSchema = z.object({
  servers: setting(
    z.array(serverProfileSchema).default([]),
    'machine',
    'Servers besides the local engine: any that speak the OpenAI protocol. Keys are asked for and kept in the secret storage.',
  ),
  'chat.server': setting(
    z.string().default(ENGINE_PROFILE),
    'machine',
    'Profile of the server that chats: `engine`, or a name from `turnwise.servers`. Choosing a server on another machine is consent to send it the conversation.',
  ),
  'chat.temperature': setting(z.number().min(0).max(2).default(0.7), 'window', 'Sampling temperature of the chat.'),
  'chat.maxTokens': setting(
    z.int().min(16).max(32_768).default(1024),
    'window',
    'Longest message of the agent, in tokens.',
  ),
  'chat.maxTurns': setting(
    z.int().min(1).max(50).default(DEFAULT_MAX_TURNS),
    'window',
    'Turns after which the whole message of the agent counts as its answer.',
  ),
  'chat.answerMarker': setting(
    z.string().min(1).default(DEFAULT_ANSWER_MARKER),
    'window',
    'The words behind which an answer begins; must be what the model was trained on or told.',
  ),
  'chat.skipSentence': setting(z.string().min(1).default(SKIP_SENTENCE), 'window', 'What Skip sends in your place.'),
  'chat.tools': setting(
    z.boolean().default(true),
    'window',
    'Let a model that calls tools look into the workspace: read and list files, search, see problems. Files that are ignored, excluded or hold secrets stay closed, and tests run only after your click. Never in a workspace that is not trusted.',
  ),
  'chat.maxToolCalls': setting(
    z.int().min(0).max(50).default(8),
    'window',
    'How often the agent may look into the workspace before it has to speak to you.',
  ),
  'tests.command': setting(
    z.string().default(''),
    'machine-overridable',
    'Command that runs the tests of this workspace, in its folder. It is shown before every run, and runs only after your click. Empty: the test task of the workspace.',
  ),
  'engine.model': setting(
    z.string().default(''),
    'machine',
    'A GGUF file for the local engine. Empty: the bundled toy model, which shows how things work and nothing more.',
  ),
  'scoring.enabled': setting(
    z.boolean().default(true),
    'window',
    'Score each turn in the background as soon as the next action exists. Scoring waits while the agent speaks.',
  ),
  'scoring.server': setting(
    z.string().default(ENGINE_PROFILE),
    'machine',
    'Profile of the server that scores. A conversation marked local-only is never sent to one on another machine.',
  ),
  'scoring.estimator': setting(
    estimatorSchema.default('shift_mean'),
    'window',
    'How the log-prob shifts of the next action become one gain, in nats; `kl_topk` and `kl_full` need the local engine.',
  ),
  'scoring.placeholder': setting(
    z.string().default('No information found.'),
    'window',
    'What stands in for a reply when the next action is scored without it; `auto`: the fittest that the last check of the scorer found.',
  ),
  'scoring.maskMode': setting(
    z.enum(['length_matched', 'natural']).default('length_matched'),
    'window',
    'Whether the placeholder is brought to the length of the reply that it replaces.',
  ),
  'credit.preset': setting(
    presetSchema.default('colbench'),
    'window',
    'How gain and outcome become credit: the defaults of one setting of the paper (weight beta, gate temperature T).',
  ),
  'credit.poolBy': setting(
    poolBySchema.default('all'),
    'window',
    'What a gain is compared with: turns of every index, or (`index`) only turns as deep into their conversation.',
  ),
  'store.path': setting(
    z.string().default(''),
    'machine',
    'File of the journal. Empty: in the storage folder of the extension. Takes effect after a reload.',
  ),
});
export type Settings = z.infer<typeof settingsSchema>;
export type SettingKey = keyof Settings;

/** A setting that was not usable, and what stands in its place. */
export interface SettingProblem {
  readonly key: string;
  readonly message: string;
}

/**
 * Reads settings from anything that returns a raw value by key. A bad value is replaced by its default and reported, so that
 * one typing mistake in a settings file never takes the rest down.
 */
export function readSettings(get: (key: SettingKey) => unknown): {
  readonly settings: Settings;
  readonly problems: readonly SettingProblem[];
} {
  const raw: Record<string, unknown> = {};
  const problems: SettingProblem[] = [];
  for (const key of settingKeys()) {
    const value = get(key) ?? undefined;
    const parsed = settingsSchema.shape[key].safeParse(value);
    if (parsed.success) {
      raw[key] = value;
      continue;
    }
    const issue = parsed.error.issues[0];
    const where = issue?.path.join('.') ?? '';
    const default_ = JSON.stringify(settingsSchema.shape[key].parse(undefined));
    problems.push({
      key,
      message: `The setting turnwise.${key}${where === '' ? '' : ` (${where})`} cannot be used (${issue?.message ?? 'invalid'}); ${default_} is used until you mend it.`,
    });
  }
  return { settings: settingsSchema.parse(raw), problems };
}

/** The keys of all settings, without the prefix `turnwise.`. */
export function settingKeys(): SettingKey[] {
  return Object.keys(settingsSchema.shape) as SettingKey[];
}

/** A profile that the chat or the scorer may use. */
export type Profile = { readonly kind: 'engine' } | ({ readonly kind: 'server' } & ServerProfile);

/** The profile of this name, or null where none has it. */
export function findProfile(settings: Settings, name: string): Profile | null {
  if (name === ENGINE_PROFILE) return { kind: 'engine' };
  const server = settings.servers.find((candidate) => candidate.name === name);
  return server === undefined ? null : { kind: 'server', ...server };
}

/** Whether a server's URL points at this machine. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/**
 * What `contributes.configuration.properties` of `package.json` must say, made from the schema; every description is a key of
 * `manifestWords`.
 */
export function manifestProperties(): Record<string, unknown> {
  return Object.fromEntries(
    settingKeys().map((key) => {
      const { description, scope, ...schema } = keyed(jsonSchemaOf(key), wordKey(key));
      return [`turnwise.${key}`, { ...schema, scope, markdownDescription: description }];
    }),
  );
}

/** The English of every description of a setting, by its key in `package.nls.json`. */
export function manifestWords(): Record<string, string> {
  const words: Record<string, string> = {};
  for (const key of settingKeys()) keyed(jsonSchemaOf(key), wordKey(key), words);
  return words;
}

const wordKey = (key: SettingKey): string => `setting.${key}`;

function jsonSchemaOf(key: SettingKey): Record<string, unknown> {
  const schema: Record<string, unknown> = { ...z.toJSONSchema(settingsSchema.shape[key], { io: 'input' }) };
  delete schema['$schema'];
  return schema;
}

/** A JSON schema with a key in place of each description; the descriptions go into `words`. */
function keyed(
  schema: Record<string, unknown>,
  key: string,
  words: Record<string, string> = {},
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) => {
      if (name === 'description' && typeof value === 'string') {
        words[key] = value;
        return [name, `%${key}%`];
      }
      if (name === 'items') return [name, keyed(value as Record<string, unknown>, key, words)];
      if (name !== 'properties') return [name, value];
      const fields = Object.entries(value as Record<string, Record<string, unknown>>);
      return [name, Object.fromEntries(fields.map(([field, of]) => [field, keyed(of, `${key}.${field}`, words)]))];
    }),
  );
}

/** Where a setting may be set; those of the machine are inert in an untrusted workspace. */
export function settingScope(key: SettingKey): unknown {
  return settingsSchema.shape[key].meta()?.['scope'];
}

/** Settings that are not read where nobody vouched for the workspace: all that name a server, a file, a path or a command. */
export function inertIn(trusted: boolean): ReadonlySet<SettingKey> {
  return new Set(trusted ? [] : settingKeys().filter((key) => settingScope(key) !== 'window'));
}

import { groupOf } from '../group.ts';
import { segment } from '../transcript.ts';
import { checkTokens } from './check-tokens.ts';
import { checkScores } from './check-scores.ts';
import { datasetRowSchema, type DatasetRow } from './schema.ts';
import { newFindings, type Breach, type Findings } from './violation.ts';

/** A row as read from a file: valid by the schema, or the reasons why not. */
export function parseRow(value: unknown): { readonly row: DatasetRow | null; readonly breaches: Breach[] } {
  const parsed = datasetRowSchema.strict().safeParse(value);
  if (parsed.success) return { row: parsed.data, breaches: [] };
  return {
    row: null,
    breaches: parsed.error.issues.map((issue) => ({
      column: [...issue.path, ...(issue.code === 'unrecognized_keys' ? issue.keys : [])].join('.'),
      expected: issue.message,
      found: brief(issue.path.reduce<unknown>((at, key) => (at == null ? at : Reflect.get(Object(at), key)), value)),
      invariant: 'schema',
    })),
  };
}

/** Every invariant that one row can be checked for alone; the advantages need the batch (`checkBatch`). */
export function checkRow(row: DatasetRow): Breach[] {
  const findings = newFindings();
  checkConversation(row, findings);
  checkOutcome(row, findings);
  checkConsent(row, findings);
  checkRedaction(row, findings);
  checkTokens(row, findings);
  checkScores(row, findings);
  return findings.breaches;
}

function checkConversation(row: DatasetRow, { check, same }: Findings): void {
  const spans = segment(row.messages);
  same('turns', spans.length, row.turns.length, 'one turn per assistant message');
  const opening = row.messages.slice(0, spans[0]?.action);
  same(
    'prompt',
    JSON.stringify(opening),
    JSON.stringify(row.prompt),
    'the prompt is what stands before the first action',
  );
  checkGroup(row, same);
  same('fork_turn', row.parent_episode_id === null, row.fork_turn === null, 'a branch names its parent and its turn');
  row.turns.forEach((turn, index) => {
    const at = `turns.${index}`;
    const elicited = spans[index]?.observations ?? [];
    same(`${at}.turn_index`, index, turn.turn_index, 'turns are numbered from 0');
    same(`${at}.inherited`, turn.action_state === 'inherited', turn.inherited, 'inherited says what action_state says');
    const mustBe = turn.action_state === 'excluded' || (row.excluded && !turn.inherited);
    check(turn.excluded || !mustBe, `${at}.excluded`, true, turn.excluded, 'what a reviewer left out says so');
    const trained = turn.excluded && (turn.action_state === 'sampled' || turn.inherited);
    check(!trained, `${at}.excluded`, false, turn.excluded, 'what is left out is not sampled, and its own');
    const kinds = turn.obs_gains?.map(({ kind }) => kind) ?? [];
    same(`${at}.obs_gains`, elicited.length, kinds.length, 'one entry per observation; null where none came back');
    check(turn.obs_gains?.length !== 0, `${at}.obs_gains`, null, [], 'no observation is null');
    same(`${at}.obs_kind`, kinds[0] ?? null, turn.obs_kind, 'obs_kind is the kind of the first observation');
    const words = elicited.flatMap((position, k) =>
      kinds[k] === 'tool' || kinds[k] === 'test' ? [] : wordsOf(row.messages[position]?.content ?? ''),
    ).length;
    same(`${at}.reply_words`, elicited.length === 0 ? null : words, turn.reply_words, 'words that the developer sent');
    if (elicited.length > 0 || turn.latency_ms === null) return;
    check(false, `${at}.latency_ms`, null, turn.latency_ms, 'no observation, no latency');
  });
}

/** The rule that made the group can be carried out again, but for a branch, whose root need not be in the dataset. */
function checkGroup(row: DatasetRow, same: Findings['same']): void {
  const request = row.messages.find(({ role }) => role === 'user')?.content ?? null;
  const branch = row.group_rule === 'branch';
  same('group_rule', branch, branch && row.parent_episode_id !== null, 'a branch names its parent and its turn');
  if (branch) return;
  const task = row.group_rule === 'task' ? row.group_id : null;
  const made = groupOf(row.episode_id, task, request);
  same('group_rule', made.groupRule, row.group_rule, 'the group follows from the task, the branch or the request');
  same('group_id', made.groupId, row.group_id, 'the group follows from the task, the branch or the request');
}

function checkOutcome({ outcome_reward, outcome_detail: detail }: DatasetRow, { same, check }: Findings): void {
  const rule = 'the outcome follows from what decided it';
  switch (detail.kind) {
    case 'unknown':
      same('outcome_reward', null, outcome_reward, rule);
      break;
    case 'given':
      check(outcome_reward !== null, 'outcome_reward', 'a number', null, rule);
      break;
    case 'tests':
      same('outcome_reward', (detail.passed ?? NaN) / (detail.total ?? NaN), outcome_reward, rule, 1e-12);
      break;
    case 'rating':
      same('outcome_reward', detail.thumb, outcome_reward, rule);
      break;
    case 'acceptance':
      same('outcome_reward', detail.accepted === true ? (detail.survival ?? 1) : 0, outcome_reward, rule);
      break;
    default:
      detail.kind satisfies never;
  }
}

function checkConsent({ consent, source }: DatasetRow, { same, check }: Findings): void {
  const { scope, granted_at } = consent;
  same('consent.granted_at', scope === 'exportable', granted_at !== null, 'consent that was given has its time');
  check(
    (scope === 'simulated') === (source === 'simulated') || scope === 'exportable',
    'consent.scope',
    source === 'simulated' ? 'simulated' : 'exportable or imported',
    scope,
    'no row without consent',
  );
  check(
    scope !== 'imported' || source !== 'real_developer',
    'consent.scope',
    'exportable',
    scope,
    'no row without consent',
  );
}

/** A row in which anything was replaced ships no ids, log-probs or gain: they would decode back to what was taken out. */
function checkRedaction(row: DatasetRow, { check }: Findings): void {
  const { replacements, token_level_valid } = row.redaction;
  const rule = 'a redacted row is text only, or was scored again without behaviour log-probs';
  if (replacements > 0) {
    check(row.behavior_logprobs === null, 'behavior_logprobs', null, 'log-probs', rule);
    check(row.token_source !== 'policy', 'token_source', 'scorer', row.token_source, rule);
  }
  if (token_level_valid) return;
  check(row.input_ids === null, 'input_ids', null, 'ids', rule);
  check(row.segments === null, 'segments', null, 'segments', rule);
  row.turns.forEach((turn, index) => {
    check(turn.info_gain === null, `turns.${index}.info_gain`, null, turn.info_gain, rule);
    check(turn.logp_factual === null, `turns.${index}.logp_factual`, null, 'log-probs', rule);
  });
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/u).filter((word) => word !== '');
}

/** Enough of a value to recognise it, never a whole message. */
function brief(value: unknown): unknown {
  if (Array.isArray(value)) return `list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'object';
  return typeof value === 'string' && value.length > 40 ? `${value.slice(0, 40)}...` : (value ?? null);
}

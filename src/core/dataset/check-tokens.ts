import type { DatasetRow, DatasetTurn, Segment } from './schema.ts';
import type { Findings } from './violation.ts';

/** The parallel token columns that a row and a segment share. */
type TokenColumns = Pick<Segment, 'loss_mask' | 'behavior_logprobs' | 'token_advantages'>;

/** Token columns: equal lengths, spans in bounds, in order and disjoint, and every token's mask and advantage its turn's. */
export function checkTokens(row: DatasetRow, findings: Findings): void {
  const { check, same } = findings;
  const hasIds = row.input_ids !== null || row.segments !== null;
  check(
    row.input_ids === null || row.segments === null,
    'segments',
    null,
    'segments',
    'one sequence or segments, never both',
  );
  same('token_source', hasIds, row.token_source !== null, 'ids have a source');
  same('loss_mask', row.input_ids !== null, row.loss_mask !== null, 'loss_mask is parallel to input_ids');
  checkActionTokens(row, findings);
  if (row.input_ids !== null && row.loss_mask !== null) {
    checkSequence(row, findings);
    checkColumns('', row.input_ids.length, { ...row, loss_mask: row.loss_mask }, row.turns, row, findings);
    return;
  }
  same('token_advantages', null, row.token_advantages, 'no input_ids, no token columns');
  same('behavior_logprobs', null, row.behavior_logprobs, 'no input_ids, no token columns');
  checkSegments(row, findings);
}

function checkActionTokens({ turns }: DatasetRow, { check, same }: Findings): void {
  turns.forEach((turn, index) => {
    const at = `turns.${index}`;
    const { action_start, action_end, obs_start, obs_end } = turn;
    same(`${at}.action_end`, action_start === null, action_end === null, 'a span has both ends or none');
    same(`${at}.obs_end`, obs_start === null, obs_end === null, 'a span has both ends or none');
    if (action_start !== null && action_end !== null) {
      check(action_start < action_end, `${at}.action_end`, `> ${action_start}`, action_end, 'spans are not empty');
      const length = turn.action_state === 'sampled' ? action_end - action_start : 0;
      same(`${at}.action_tokens`, length, turn.action_tokens, 'loss tokens are those of a sampled action, else 0');
    }
    if (turn.action_state !== 'sampled' && turn.action_tokens !== null) {
      same(`${at}.action_tokens`, 0, turn.action_tokens, 'loss tokens are those of a sampled action, else 0');
    }
    if (obs_start === null || obs_end === null) return;
    check(obs_start < obs_end, `${at}.obs_end`, `> ${obs_start}`, obs_end, 'spans are not empty');
    check(turn.obs_kind !== null, `${at}.obs_start`, null, obs_start, 'no observation, no span');
  });
}

/** In one sequence the spans follow each other: action, observations, next action. */
function checkSequence({ input_ids, turns }: DatasetRow, { check }: Findings): void {
  const length = input_ids?.length ?? 0;
  let end = 0;
  turns.forEach((turn, index) => {
    for (const kind of ['action', 'obs'] as const) {
      const from = turn[`${kind}_start`];
      const to = turn[`${kind}_end`];
      if (from === null || to === null) continue;
      const at = `turns.${index}.${kind}`;
      check(from >= end, `${at}_start`, `>= ${end}`, from, 'spans are ordered and disjoint');
      check(to <= length, `${at}_end`, `<= ${length}`, to, 'spans are inside the sequence');
      end = Math.max(end, to);
    }
  });
}

/** A segment ends with its one action; the reply before it stands in it. */
function checkSegments(row: DatasetRow, findings: Findings): void {
  const { check, same } = findings;
  const placed = row.turns.filter(({ action_start }) => action_start !== null);
  const segments = row.segments ?? [];
  if (row.segments !== null) {
    const expected = placed.map(({ turn_index }) => turn_index).join(',');
    same('segments', expected, segments.map(({ turn_index }) => turn_index).join(','), 'one segment per placed action');
  } else if (row.input_ids === null) {
    check(placed.length === 0, 'input_ids', 'ids', null, 'spans need ids');
  }
  segments.forEach((piece, at) => {
    const turn = row.turns[piece.turn_index];
    if (turn === undefined) return;
    const where = `segments.${at}`;
    same(
      `turns.${turn.turn_index}.action_end`,
      piece.input_ids.length,
      turn.action_end,
      'a segment ends with its action',
    );
    const before = row.turns[piece.turn_index - 1];
    if (before?.obs_end != null) {
      const limit = turn.action_start ?? 0;
      const column = `turns.${before.turn_index}.obs_end`;
      check(before.obs_end <= limit, column, `<= ${limit}`, before.obs_end, 'a reply stands before the next action');
    }
    checkColumns(`${where}.`, piece.input_ids.length, piece, [turn], row, findings);
  });
}

function checkColumns(
  prefix: string,
  length: number,
  { loss_mask, behavior_logprobs, token_advantages }: TokenColumns,
  turns: readonly DatasetTurn[],
  row: DatasetRow,
  { check, same }: Findings,
): void {
  const parallel = 'token columns are parallel to the ids';
  same(`${prefix}loss_mask`, length, loss_mask.length, parallel);
  same(`${prefix}behavior_logprobs`, length, behavior_logprobs?.length ?? length, parallel);
  same(`${prefix}token_advantages`, length, token_advantages?.length ?? length, parallel);
  same(`${prefix}token_advantages`, row.fusion === null, token_advantages === null, 'advantages come with a batch');
  const trained = new Array<number | null>(length).fill(null);
  for (const { action_state, action_start, action_end, fused_adv } of turns) {
    if (action_state !== 'sampled' || action_start === null || action_end === null) continue;
    trained.fill(fused_adv, action_start, action_end);
  }
  const bad = (wrong: (advantage: number | null, position: number) => boolean): number => trained.findIndex(wrong);
  const mask = bad((advantage, p) => (advantage === null ? 0 : 1) !== (loss_mask[p] ?? -1));
  check(
    mask < 0,
    `${prefix}loss_mask.${mask}`,
    (trained[mask] ?? null) === null ? 0 : 1,
    loss_mask[mask] ?? null,
    'loss_mask is 1 on sampled actions with a known advantage, else 0',
  );
  const valued = bad((advantage, p) => (token_advantages?.[p] ?? 0) !== Math.fround(advantage ?? 0));
  check(
    valued < 0 || token_advantages === null,
    `${prefix}token_advantages.${valued}`,
    Math.fround(trained[valued] ?? 0),
    token_advantages?.[valued] ?? null,
    "a token's advantage is its turn's, and 0 where loss_mask is 0",
  );
  const leaked = bad((advantage, p) => advantage === null && (behavior_logprobs?.[p] ?? null) !== null);
  check(
    leaked < 0,
    `${prefix}behavior_logprobs.${leaked}`,
    null,
    behavior_logprobs?.[leaked] ?? null,
    'behaviour log-probs are null where loss_mask is 0',
  );
  const positive = bad((_, p) => (behavior_logprobs?.[p] ?? 0) > 1e-6);
  check(
    positive < 0,
    `${prefix}behavior_logprobs.${positive}`,
    '<= 0',
    behavior_logprobs?.[positive] ?? null,
    'a log-prob is at most 0',
  );
}

import { segment } from '../transcript.ts';
import { DATASET_SCHEMA, turnRowSchema, type DatasetRow, type DatasetTurn, type TurnRow } from './schema.ts';

/** The `turns` config of one episode: a flat row per agent turn, less those that a branch inherited; derived from the row alone. */
export function turnRows(row: DatasetRow): TurnRow[] {
  const spans = segment(row.messages);
  return row.turns.flatMap((turn): TurnRow[] => {
    const span = spans[turn.turn_index];
    if (turn.inherited || span === undefined) return [];
    const replies = span.observations.map((position) => row.messages[position]?.content ?? '');
    // Parsing drops the keys of the episode's turn that the flat row has not.
    return [
      turnRowSchema.parse({
        schema_version: DATASET_SCHEMA,
        episode_id: row.episode_id,
        group_id: row.group_id,
        group_rule: row.group_rule,
        task_id: row.task_id,
        source: row.source,
        split: row.extra_info.split,
        batch_id: row.fusion?.batch_id ?? null,
        outcome_level: row.fusion?.outcome_level ?? null,
        outcome_reward: row.outcome_reward,
        action_text: row.messages[span.action]?.content ?? '',
        reply_text: replies.length === 0 ? null : replies.join('\n\n'),
        ...turn,
        ...poolOf(turn, row.fusion),
      }),
    ];
  });
}

function poolOf(
  turn: DatasetTurn,
  fusion: DatasetRow['fusion'],
): Pick<TurnRow, 'info_level' | 'info_n' | 'info_mean' | 'info_sd'> {
  const { info_level, info_n, info_mean, info_sd } = fusion === null || turn.info_level !== null ? turn : fusion;
  return { info_level, info_n, info_mean, info_sd };
}

import { sha256Text } from '../core/sha.ts';
import { groupOfTranscript, segment, type Transcript } from '../core/transcript.ts';

/** A reply that may stand in for another task's reply under the placeholder `random_reply`. */
export interface Donor {
  readonly groupId: string;
  /** `episode/turn` it was taken from. */
  readonly id: string;
  readonly text: string;
}

/** Every non-empty reply of these episodes, in their order. */
export function collectDonors(transcripts: readonly Transcript[]): Donor[] {
  return transcripts.flatMap((transcript) =>
    segment(transcript.messages).flatMap((turn) => {
      const text = turn.observations.map((position) => transcript.messages[position]?.content ?? '').join('\n');
      const { groupId } = groupOfTranscript(transcript);
      return text === '' ? [] : [{ groupId, id: `${transcript.episode_id}/${turn.index}`, text }];
    }),
  );
}

/** The reply of another task chosen by hash(episode, turn, seed) (spec S1), so that every run and machine picks the same; null: no other task. */
export function pickDonor(
  donors: readonly Donor[],
  groupId: string,
  episodeId: string,
  turn: number,
  seed: number,
): Donor | null {
  const others = donors.filter((donor) => donor.groupId !== groupId);
  if (others.length === 0) return null;
  const hash = Number.parseInt(sha256Text(JSON.stringify([episodeId, turn, seed])).slice(0, 12), 16);
  return others[hash % others.length] ?? null;
}

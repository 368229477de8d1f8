import type { Message } from '../../core/message.ts';
import { sha256Text } from '../../core/sha.ts';
import { groupOfTranscript, segment, type Transcript } from '../../core/transcript.ts';

/** A reply, and what the agent did next where that is written down; null: only the scorer itself can say. */
export interface ProbeReply {
  readonly text: string;
  readonly next: string | null;
}

/** One question of an agent that is answered twice: with something to go by, and with nothing. */
export interface Probe {
  readonly id: string;
  /** Probes of one task never lend each other replies. */
  readonly task: string;
  /** The conversation up to and including the agent's question, the agent's instructions in front where they belong there. */
  readonly history: readonly Message[];
  readonly told: ProbeReply;
  /** A reply that is known to say nothing. */
  readonly silent: ProbeReply;
}

/** What a scorer is probed with. */
export interface ProbeSet {
  /** As a report names it. */
  readonly name: string;
  readonly probes: readonly Probe[];
}

/**
 * Probes out of a person's own conversations: every reply that was acted upon. What says nothing is picked from `silence`, by
 * hash, so that every run picks the same.
 */
export function probesFrom(transcripts: readonly Transcript[], silence: readonly string[]): Probe[] {
  return transcripts.flatMap((transcript) => {
    const { episode_id, messages } = transcript;
    const { groupId } = groupOfTranscript(transcript);
    return segment(messages).flatMap(({ index, action, observations, next }): Probe[] => {
      const text = observations.map((position) => messages[position]?.content ?? '').join('\n');
      const acted = next === null ? undefined : messages[next];
      const only = observations.length === 1 && messages[action + 1]?.role === 'user';
      if (acted === undefined || !only || text.trim() === '') return [];
      const id = `${episode_id}/${index}`;
      return [
        {
          id,
          task: groupId,
          history: messages.slice(0, action + 1),
          told: { text, next: acted.content },
          silent: { text: pickBy(id, silence), next: null },
        },
      ];
    });
  });
}

/** The messages of a probe with one of its replies. */
export function probeMessages({ history }: Probe, reply: string): Message[] {
  return [...history, { role: 'user', content: reply }];
}

/** At most `count` probes, spread over the whole list. */
export function someProbes(probes: readonly Probe[], count: number): Probe[] {
  const step = Math.max(1, probes.length / count);
  return Array.from({ length: Math.min(count, probes.length) }, (_, k) => probes[Math.floor(k * step)]).filter(
    (probe) => probe !== undefined,
  );
}

/** The reply of another task that stands in for a probe's own: the one half a list away, or the next that fits; null: none. */
export function donorOf(probes: readonly Probe[], at: number): string | null {
  const own = probes[at];
  for (let step = 0; step < probes.length; step += 1) {
    const donor = probes[(at + Math.floor(probes.length / 2) + step) % probes.length];
    if (donor && own && donor.task !== own.task && donor.told.text !== own.told.text) return donor.told.text;
  }
  return null;
}

/** One of a list, decided by a name. */
export function pickBy(name: string, items: readonly string[]): string {
  return items[Number.parseInt(sha256Text(name).slice(0, 8), 16) % items.length] ?? '';
}

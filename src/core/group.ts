import { z } from 'zod';
import { sha256Text } from './sha.ts';

/**
 * What put an episode into its group (spec, Words: episodes of one task), the first that applies: an explicit task id, the group of
 * the episode that it is a branch of, the text of its request, or nothing but itself.
 */
export const groupRuleSchema = z.enum(['task', 'branch', 'request', 'alone']);
export type GroupRule = z.infer<typeof groupRuleSchema>;

/** A group and what made it. */
export interface Grouping {
  readonly groupId: string;
  readonly groupRule: GroupRule;
}

/**
 * The group of an episode that is no branch: that of its task, else that of everybody who asked for the same in the same words, else
 * its own. Pure and of the episode alone, so that no other episode can change it.
 */
export function groupOf(episodeId: string, taskId: string | null, request: string | null): Grouping {
  if (taskId !== null) return { groupId: taskId, groupRule: 'task' };
  const groupId = request === null ? null : requestGroup(request);
  return groupId === null ? { groupId: episodeId, groupRule: 'alone' } : { groupId, groupRule: 'request' };
}

/** The name of the group of a request's text; null for one of which nothing can be seen. */
export function requestGroup(request: string): string | null {
  const text = normaliseRequest(request);
  return text === '' ? null : `request-sha256:${sha256Text(text).slice(0, 32)}`;
}

/**
 * Two requests are one task where a reader cannot tell them apart: composed and decomposed letters (NFC), line ends, kinds and runs
 * of white space, and characters without a shape (soft hyphens, zero-width spaces, byte order marks, marks of direction) count for
 * nothing. What can be seen counts: case and punctuation, since `Sum` and `sum`, `x` and `x?` name different things in code, and no
 * compatibility forms, since `x²` is not `x2`; joiners and variation selectors, which shape letters. A task that is missed is compared
 * with the batch; two tasks taken for one would be compared with each other, which is wrong and does not show.
 */
export function normaliseRequest(request: string): string {
  return request
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .normalize('NFC')
    .replace(SHAPELESS, '')
    .replace(/[\s\u0085]+/gu, ' ')
    .trim();
}

/** Soft hyphen, zero-width space, word joiner, byte order mark; marks, embeddings, overrides and isolates of direction. */
const SHAPELESS = /[\u00ad\u200b\u2060\ufeff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

import type { ScorerKind } from './scorer-kind.ts';

/** Kinds of servers as their routes tell them apart; `openai` is whatever speaks that protocol and nothing else that we know. */
export const SERVER_KINDS = ['engine', 'vllm', 'sglang', 'llama-server', 'ollama', 'openai'] as const;
export type ServerKind = (typeof SERVER_KINDS)[number];

/** What was found at an address. */
export interface ServerProbe {
  readonly kind: ServerKind;
  /** Names of its models; empty where it lists none, or none without a key. */
  readonly models: readonly string[];
  /** It refused to list them without a key, or with the one that was given. */
  readonly wantsKey: boolean;
}

/** How a server of this kind scores; `none`: it cannot; null: only a question can tell. */
export function scorerOf(kind: ServerKind): ScorerKind | 'none' | null {
  switch (kind) {
    case 'engine':
    case 'vllm':
    case 'sglang':
    case 'llama-server':
      return kind;
    case 'ollama':
      return 'none';
    case 'openai':
      return null;
    default:
      return kind satisfies never;
  }
}

/** What a person may have meant by an address: a scheme, `/v1`, and no slash behind it. Null: no address of the web. */
export function serverUrl(text: string): string | null {
  const trimmed = text.trim();
  try {
    const url = new URL(/^[a-z]+:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
    if (url.username !== '' || url.password !== '' || url.hostname === '') return null;
    const path = url.pathname.replace(/\/+$/, '').replace(/\/(models|chat\/completions|completions)$/, '');
    return `${url.origin}${path === '' ? '/v1' : path}`;
  } catch {
    return null;
  }
}

/** A name for a profile: of the kind where that says enough, else of the host; with a number where it is taken. */
export function suggestedName(kind: ServerKind, url: string, taken: ReadonlySet<string>): string {
  const host = new URL(url).hostname.replace(/[^\w.-]/g, '').replace(/^[^A-Za-z0-9]+/, '');
  const known = /(^|\.)openai\.com$/.test(host) ? 'openai' : kind === 'openai' || kind === 'engine' ? host : kind;
  const base = known === '' || known === 'engine' ? 'server' : known.slice(0, 56);
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(name)) return name;
  }
}

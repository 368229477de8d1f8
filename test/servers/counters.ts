import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerName } from './recipes.ts';

/** Sums of a Prometheus page by metric name and, where a metric has one, the label that says where a token came from. */
type Page = ReadonlyMap<string, number>;

/** Tokens a server ran through the model since it started, as its own counters have it. */
const COMPUTED: Readonly<Record<ServerName, (page: Page) => number>> = {
  // Every decoded token is one that was run as well.
  'llama-server': (page) => at(page, 'llamacpp:prompt_tokens_total') + at(page, 'llamacpp:tokens_predicted_total'),
  vllm: (page) => at(page, 'vllm:prompt_tokens_by_source_total/local_compute'),
  // The second counter appears with the first hit.
  sglang: (page) => at(page, 'sglang:prompt_tokens_total') - (page.get('sglang:cached_tokens_total/device') ?? 0),
};

/** Reads the counter once it stands still: servers count a request a moment after they have answered it. */
export async function computedTokens(
  name: ServerName,
  { url, apiKey }: { readonly url: string; readonly apiKey: string },
): Promise<number> {
  let last = Number.NaN;
  for (;;) {
    const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${apiKey}` } });
    if (!response.ok) throw new Error(`${url}/metrics answers ${response.status}.`);
    const now = COMPUTED[name](parse(await response.text()));
    if (now === last) return now;
    last = now;
    await sleep(200);
  }
}

function at(page: Page, key: string): number {
  const value = page.get(key);
  if (value === undefined) throw new Error(`The server counts no ${key}.`);
  return value;
}

function parse(text: string): Page {
  const page = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([a-z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match) continue;
    const source = /(?:^|,)(?:cache_)?source="(\w+)"/.exec(match[2] ?? '')?.[1];
    const key = source === undefined ? (match[1] ?? '') : `${match[1] ?? ''}/${source}`;
    page.set(key, (page.get(key) ?? 0) + Number(match[3]));
  }
  return page;
}

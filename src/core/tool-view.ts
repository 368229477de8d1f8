import type { ToolCall } from './tool-call.ts';
import type { CallView } from './webview-protocol.ts';

/** A call as a person reads it: its name, and what it is about in a few words. */
export function callView({ name, arguments: handed }: ToolCall): CallView {
  return { name, detail: detailOf(handed) };
}

function detailOf(handed: string): string {
  let input: unknown;
  try {
    input = JSON.parse(handed);
  } catch {
    return handed;
  }
  if (typeof input !== 'object' || input === null) return handed;
  const { path, text, from_line, to_line, ...others } = input as Readonly<Record<string, unknown>>;
  const lines =
    from_line === undefined && to_line === undefined ? '' : `:${shown(from_line ?? 1)}-${shown(to_line ?? '')}`;
  const rest = Object.entries(others).map(([key, value]) => `${key} ${shown(value)}`);
  return [
    ...(text === undefined ? [] : [`"${shown(text)}"`]),
    ...(path === undefined ? [] : [`${shown(path)}${lines}`]),
    ...rest,
  ].join(' ');
}

function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
}

import type { ToolOffer } from '../core/backend.ts';
import type { Message } from '../core/message.ts';
import { splitToolCalls, type ToolCall } from '../core/tool-call.ts';
import { wireTool } from '../core/tools.ts';

/** Keys of a chat request that tell a server of the tools. */
export function toolParams({ definitions, choice }: ToolOffer): Record<string, unknown> {
  return {
    tools: definitions.map(wireTool),
    tool_choice: choice,
  };
}

/**
 * A conversation in the terms of a server. The text of a call becomes `tool_calls`, its results carry the call's id. A server
 * that knows no tools (`native` false) reads all of it as the plain text that it is; so does one whose history has calls
 * without results, which it would refuse.
 */
export function wireMessages(messages: readonly Message[], native: boolean): readonly Record<string, unknown>[] {
  const wire: Record<string, unknown>[] = [];
  let waiting: string[] = [];
  for (const [at, message] of messages.entries()) {
    if (message.role === 'tool' && message['tool_call_id'] === undefined) {
      const id = waiting.shift();
      wire.push(id === undefined ? { ...message, role: 'user' } : { ...message, tool_call_id: id });
      continue;
    }
    waiting = [];
    const { said, calls } =
      message.role === 'assistant' && native ? splitToolCalls(message.content) : { said: '', calls: [] };
    if (calls.length === 0 || resultsAfter(messages, at) !== calls.length) {
      wire.push(message);
      continue;
    }
    waiting = calls.map((_call, index) => `call_${at}_${index}`);
    wire.push({ ...message, content: said === '' ? null : said, tool_calls: calls.map(wireCall(waiting)) });
  }
  return wire;
}

function resultsAfter(messages: readonly Message[], at: number): number {
  const end = messages.findIndex(({ role }, index) => index > at && role !== 'tool');
  return (end < 0 ? messages.length : end) - at - 1;
}

function wireCall(ids: readonly string[]) {
  return ({ name, arguments: handed }: ToolCall, index: number): Record<string, unknown> => ({
    id: ids[index],
    type: 'function',
    function: { name, arguments: handed },
  });
}

/** Whether a refusal is about the tools: it says so. */
export function isAboutTools(message: string): boolean {
  return /\btools?\b|tool[_-]|function.?call/i.test(message);
}

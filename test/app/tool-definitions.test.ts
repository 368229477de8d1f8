import { Template } from '@huggingface/jinja';
import { expect, test } from 'vitest';
import { prepareTranscript } from '../../src/app/prepare.ts';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../../src/app/score.ts';
import { wireMessages } from '../../src/backends/chat-tools.ts';
import type { Message } from '../../src/core/message.ts';
import { toolCallText } from '../../src/core/tool-call.ts';
import { toolDefinitions, wireTool, type ToolName } from '../../src/core/tools.ts';
import type { Transcript } from '../../src/core/transcript.ts';
import { letterBackend, letterFacts, letters } from './letter-backend.ts';

/** How Qwen's template tells of tools, prints calls, and takes results: all that is rendered otherwise for a model that calls. */
const QWEN = String.raw`{%- if tools %}
{{- '<|im_start|>system\n' }}
{{- "# Tools\n\nYou may call one or more functions.\n<tools>" }}
{%- for tool in tools %}
{{- "\n" }}
{{- tool | tojson }}
{%- endfor %}
{{- "\n</tools><|im_end|>\n" }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == "assistant" and message.tool_calls %}
{{- '<|im_start|>assistant' }}
{%- if message.content %}
{{- '\n' + message.content }}
{%- endif %}
{%- for tool_call in message.tool_calls %}
{{- '\n<tool_call>\n{"name": "' + tool_call.function.name + '", "arguments": ' + tool_call.function.arguments | tojson + '}\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\n' }}
{%- elif message.role == "tool" %}
{{- '<|im_start|>user\n<tool_response>\n' + message.content + '\n</tool_response><|im_end|>\n' }}
{%- else %}
{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\n' }}
{%- endif %}`;

const OFFERED: ToolName[] = ['read_file', 'search'];
const messages: Message[] = [
  { role: 'user', content: 'Round the total.' },
  { role: 'assistant', content: toolCallText('I look.', [{ name: 'read_file', arguments: '{"path":"shop.py"}' }]) },
  { role: 'tool', content: 'print(total)' },
  { role: 'assistant', content: 'Which rounding?' },
  { role: 'user', content: 'half up' },
  { role: 'assistant', content: 'Noted: half up.' },
];
const facts = { ...letterFacts, template: { ...letterFacts.template, source: QWEN } };
const backend = letterBackend({ facts: () => Promise.resolve(facts) });
const actions = messages.flatMap(({ role }, position) => (role === 'assistant' ? [position] : []));

/** What a server's own rendering gave the model in front of an action: calls and definitions in the form of the wire. */
function served(position: number, names: readonly ToolName[]): number[] {
  const wire = wireMessages(messages.slice(0, position), names.length > 0).map((message) => ({
    ...message,
    // Servers hand the template the arguments as an object.
    ...(Array.isArray(message['tool_calls']) ? { tool_calls: message['tool_calls'].map(asObject) } : {}),
  }));
  return letters(
    new Template(QWEN).render({
      messages: wire,
      add_generation_prompt: true,
      ...(names.length === 0 ? {} : { tools: toolDefinitions(names).map(wireTool) }),
    }),
  );
}

function asObject(call: { readonly function: { readonly name: string; readonly arguments: string } }): unknown {
  const handed: unknown = JSON.parse(call.function.arguments);
  return { ...call, function: { name: call.function.name, arguments: handed } };
}

/** The conversation, with what the model read where it was told of tools for all actions but the last. */
function transcript(offered: Transcript['offered_tools']): Transcript {
  const told = [OFFERED, OFFERED, []];
  const prompts = actions.map((position, at) => ({ model: 'letters', ids: served(position, told[at] ?? []) }));
  return { episode_id: 'e', messages: [...messages], prompts, ...(offered ? { offered_tools: offered } : {}) };
}

test('an action is scored behind the definitions of the tools that its model was told of, and only there', async () => {
  const prepared = await prepareTranscript(transcript([OFFERED, OFFERED, null]), backend, facts);
  expect(prepared.map(({ cutProblem }) => cutProblem)).toEqual([null, null, null]);
  expect(prepared.map(({ contextIds }) => contextIds)).toEqual([
    served(1, OFFERED),
    served(3, OFFERED),
    // The words of a call are its text where no tools are told of.
    served(5, []),
  ]);
  const text = await backend.detokenize(prepared[1]?.contextIds ?? []);
  expect(text).toContain('{"type": "function", "function": {"name": "read_file"');
  // What the tool gave back is what is masked, and nothing around it.
  const masked = prepared[1]?.cut?.filter(({ observation }) => observation) ?? [];
  expect(await Promise.all(masked.map(({ ids }) => backend.detokenize(ids)))).toEqual(['print(total)']);
});

test.each([
  ['nobody says which tools were told of', undefined],
  ['one is of another version', [[...OFFERED, 'write_file'], OFFERED, null]],
])('where %s the turn before has no gain', async (_case, offered) => {
  for await (const { turns } of scoreTranscripts([transcript([OFFERED, OFFERED, null])], {
    backend,
    options: DEFAULT_SCORE_OPTIONS,
  })) {
    expect(turns.map(({ null_reason }) => null_reason)).toEqual([null, null, 'no_next_action']);
  }
  const prepared = await prepareTranscript(transcript(offered), backend, facts);
  expect(prepared[0]).toMatchObject({ cut: null, cutProblem: 'template_mismatch' });
});

import { Template } from '@huggingface/jinja';
import type { ChatTemplate, ToolDefinition } from './backend.ts';
import { errorText, TurnwiseError } from './error.ts';
import type { Message } from './message.ts';
import { wireTool } from './tools.ts';

/**
 * Renders a conversation by a model's own chat template. With `addGenerationPrompt` the text ends where the next action
 * begins. Throws `protocol`/`template_failed` when the template itself refuses the conversation.
 */
export function renderChat(
  template: ChatTemplate,
  messages: readonly Message[],
  {
    addGenerationPrompt,
    tools = [],
  }: { readonly addGenerationPrompt: boolean; readonly tools?: readonly ToolDefinition[] | undefined },
): string {
  try {
    return compiled(template).render({
      messages,
      add_generation_prompt: addGenerationPrompt,
      bos_token: template.bosToken ?? '',
      eos_token: template.eosToken ?? '',
      // Templates ask whether there are any, each in its own way.
      ...(tools.length === 0 ? {} : { tools: tools.map(wireTool) }),
    });
  } catch (cause) {
    throw new TurnwiseError(
      'protocol',
      'template_failed',
      `The model's chat template cannot render this conversation (${errorText(cause)}); choose another scorer or change the roles of the messages.`,
      { cause },
    );
  }
}

const cache = new WeakMap<ChatTemplate, Template>();

function compiled(template: ChatTemplate): Template {
  const known = cache.get(template);
  if (known) return known;
  const parsed = new Template(template.source);
  cache.set(template, parsed);
  return parsed;
}

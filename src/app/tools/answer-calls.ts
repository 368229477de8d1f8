import type { ToolOffer } from '../../core/backend.ts';
import type { EpisodeState } from '../../core/episode-state.ts';
import { TurnwiseError } from '../../core/error.ts';
import { callsInARow, openCalls } from '../../core/exchange.ts';
import type { Conversation } from '../conversation.ts';
import { STOPPED, type Toolbox, type ToolResult } from './toolbox.ts';

/** How often an agent that has used up its calls is told so, before the developer has to decide. */
const PATIENCE = 3;

/** What the next action is offered: the tools, or, once they are used up, their names and no call. */
export function offerOf(toolbox: Toolbox | null, { turns }: EpisodeState): ToolOffer | undefined {
  if (toolbox === null) return undefined;
  const { definitions, limit } = toolbox;
  return { definitions, choice: callsInARow(turns) < limit ? 'auto' : 'none' };
}

/**
 * Gives every open call of the last action its result, each an observation on the disk. Stopped calls get one that says so.
 * Throws `tool_limit` for an agent that goes on calling when it may not.
 */
export async function answerCalls(
  conversation: Conversation,
  toolbox: Toolbox | null,
  signal: AbortSignal,
): Promise<void> {
  const calls = openCalls(conversation.state);
  for (const [at, call] of calls.entries()) {
    const asked = callsInARow(conversation.state.turns) - (calls.length - at - 1);
    const result = await resultOf(async (box) => {
      if (signal.aborted) return said(STOPPED);
      if (asked > box.limit) return said('You have looked up enough for now: ask the developer, or answer.');
      return box.run(call, signal);
    });
    await conversation.observe(result.kind, result.text);
    if (result.tests !== null) await recordTests(conversation, result.tests);
    if (toolbox !== null && asked >= toolbox.limit + PATIENCE && at === calls.length - 1) throw exhausted();
  }

  function resultOf(run: (box: Toolbox) => Promise<ToolResult>): Promise<ToolResult> {
    return toolbox === null ? Promise.resolve(said('There are no tools in this workspace now.')) : run(toolbox);
  }
}

/** Tests are an outcome of the last proposal, if the developer has taken it over. */
async function recordTests(
  conversation: Conversation,
  { passed, total }: NonNullable<ToolResult['tests']>,
): Promise<void> {
  const proposal = conversation.state.turns.findLast(({ kind }) => kind === 'answer');
  if (proposal?.decision !== 'accepted' || proposal.state === 'inherited') return;
  await conversation.recordTests(passed, total, proposal.index);
}

function said(text: string): ToolResult {
  return { kind: 'tool', text, tests: null };
}

function exhausted(): TurnwiseError {
  return new TurnwiseError(
    'backend',
    'tool_limit',
    'The agent only looks things up and says nothing; choose Continue to let it go on, or start a new conversation.',
  );
}

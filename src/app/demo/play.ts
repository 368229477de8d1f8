import { agentPrompt } from '../../core/agent-protocol.ts';
import type { ChatBackend, Sampling } from '../../core/backend.ts';
import type { EpisodeState, TurnState } from '../../core/episode-state.ts';
import { TurnwiseError } from '../../core/error.ts';
import type { Journal } from '../../store/journal.ts';
import { Conversation } from '../conversation.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { seededRandom, seedOf } from './random.ts';
import { simulateDeveloper, type SimulatedDeveloper } from './simulated-developer.ts';
import type { Task, TaskFile } from './tasks.ts';

/** What a simulated conversation is played with. */
export interface PlayPorts {
  readonly journal: Journal;
  readonly chat: ChatBackend;
  readonly sandbox: Sandbox;
  readonly tasks: TaskFile;
  /** Whether the agent's instructions go in front; a toy was trained without. */
  readonly takesAgentPrompt: boolean;
  /** Who answers; default: the developer of `simulateDeveloper`. */
  readonly developer?: typeof simulateDeveloper | undefined;
  /** Called after each action. */
  readonly onTurn?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Longest action, in tokens; a toy that never ends its turn stops here. */
const MAX_TOKENS = 256;

/**
 * Plays one conversation to its end and journals every step: the model is sampled at temperature 1 with a seed per turn
 * (`label` names the conversation), the developer is simulated, and a proposal's outcome is what its hidden calls gave.
 * Latencies are null, since nobody waited. Throws `action_failed` when the model's server fails, `interrupted` on abort.
 */
export async function playEpisode(ports: PlayPorts, task: Task, label: string): Promise<EpisodeState> {
  const { journal, chat, tasks, takesAgentPrompt, developer: newDeveloper = simulateDeveloper } = ports;
  const sampling = ({ turns }: EpisodeState): Sampling => ({
    temperature: 1,
    top_p: 1,
    top_k: null,
    seed: seedOf(`${label}/${turns.length}`),
    max_tokens: MAX_TOKENS,
  });
  const developer = newDeveloper(task, tasks, seededRandom(`${label}/developer`));
  const conversation = await Conversation.start(
    { journal, chat, sampling },
    { source: 'simulated', taskId: task.id, agentPrompt: takesAgentPrompt ? agentPrompt() : null },
  );
  await conversation.request(task.request);
  for (;;) {
    const turn = await act(conversation, ports.signal);
    ports.onTurn?.();
    const goesOn =
      turn.kind === 'answer'
        ? await judgeProposal(conversation, turn, task, developer, ports)
        : await answerQuestion(conversation, turn, developer);
    if (!goesOn) break;
  }
  await conversation.close();
  return conversation.state;
}

async function act(conversation: Conversation, signal: AbortSignal | undefined): Promise<TurnState> {
  for await (const event of conversation.act(signal)) {
    if (event.type === 'failed') {
      signal?.throwIfAborted();
      throw new TurnwiseError('backend', 'action_failed', event.message);
    }
  }
  signal?.throwIfAborted();
  const turn = conversation.state.turns.at(-1);
  if (turn === undefined) throw new Error('An action ended without a turn.');
  return turn;
}

async function answerQuestion(
  conversation: Conversation,
  { question, text, options }: TurnState,
  developer: SimulatedDeveloper,
): Promise<true> {
  const reply = developer.answer(question ?? text, options);
  if (reply.kind === 'skipped') await conversation.skip();
  else await conversation.reply({ text: reply.text, kind: reply.kind });
  return true;
}

/** Runs the hidden calls. True when the developer says what is wrong and the agent may try again. */
async function judgeProposal(
  conversation: Conversation,
  { code, index }: TurnState,
  task: Task,
  developer: SimulatedDeveloper,
  { sandbox, signal }: PlayPorts,
): Promise<boolean> {
  const { passed, total } = await sandbox.runCalls({ code: code ?? '', calls: task.calls, signal });
  await conversation.recordTests(passed, total);
  if (passed === total) {
    await conversation.decide('accepted');
    return false;
  }
  await conversation.decide('rejected');
  const isLast = index >= conversation.state.maxTurns - 1;
  const complaint = isLast ? null : developer.complain();
  if (complaint === null) return false;
  await conversation.observe('rejected', complaint);
  return true;
}

import type { EventBody, NewerBody } from '../core/event.ts';

/** Words of one event that a person may look for, and who said them. */
export interface Words {
  readonly who: 'developer' | 'agent';
  readonly text: string;
}

/** What is searched: what the developer asked and answered, what the agent asked and proposed. Null: nothing was said. */
export function wordsOf(body: EventBody | NewerBody): Words | null {
  switch (body.type) {
    case 'request_accepted':
      return developer(body.text);
    case 'observed':
      return developer(body.text);
    case 'episode_started':
      return developer(body.parent?.request ?? '');
    case 'episode_imported':
      return developer(body.messages.map(({ content }) => content).join('\n'));
    case 'action_asked':
      return agent([body.question, ...body.options]);
    case 'action_answered':
      return agent([body.message, body.code]);
    case 'rated':
      return developer(body.note ?? '');
    case 'override_set':
      return developer(body.change.field === 'note' ? (body.change.value ?? '') : '');
    case 'titled':
      return developer(body.title ?? '');
    case 'action_called':
    case 'action_stopped':
      return agent([body.generation.text]);
    case 'action_failed':
      return agent([body.partial]);
    case 'action_started':
    case 'action_interrupted':
    case 'proposal_decided':
    case 'proposal_saved':
    case 'tests_run':
    case 'override_undone':
    case 'consent_set':
    case 'episode_closed':
    case 'newer_event':
      return null;
    default:
      return body satisfies never;
  }
}

function developer(text: string): Words | null {
  return text === '' ? null : { who: 'developer', text: text.normalize('NFC') };
}

function agent(parts: readonly string[]): Words | null {
  const text = parts.filter((part) => part !== '').join('\n');
  return text === '' ? null : { who: 'agent', text: text.normalize('NFC') };
}

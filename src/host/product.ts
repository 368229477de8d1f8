import { existsSync, mkdirSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { bundledCalibration, rememberPlaceholder } from '../app/auto-placeholder.ts';
import { ChatSession } from '../app/chat-session.ts';
import { Overrides } from '../app/overrides.ts';
import { recover } from '../app/recover.ts';
import { Review } from '../app/review.ts';
import { scorerMemo, ScoringWorker } from '../app/scoring-worker.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import { ENGINE_PROFILE } from '../core/settings.ts';
import type { ScoreOptions } from '../core/scored-episode.ts';
import { openJournal, type Journal } from '../store/journal.ts';
import { AcceptedSaves } from './accepted-saves.ts';
import { followIntent } from './chat-intents.ts';
import { ChatWebview } from './chat-view.ts';
import { ContextShelf } from './context/context-shelf.ts';
import { WorkspaceTools } from './context/workspace-tools.ts';
import { Desk, keptWords } from './desk.ts';
import type { Host } from './host.ts';
import { openEpisodes } from './open-episodes.ts';
import { ProposalDiff } from './proposal-diff.ts';
import { ReportDocument } from './report-document.ts';
import { ReviewPanels } from './review-panels.ts';
import { ReviewPlaces } from './review-places.ts';
import { reviewSource } from './review-source.ts';
import { creditOptions, scoreOptions } from './score-options.ts';
import { ServerKeys } from './server-keys.ts';
import { ServerPool, type Connectors } from './servers.ts';
import { ScoringStatus } from './scoring-status.ts';
import { SettingsReader } from './settings.ts';
import { StatusBar } from './status-bar.ts';

/** From a change of the store to a look at it, ms: changes come in bursts. */
const LOOK_MS = 300;
/** Between two looks at whether the window that the agent writes in is still there, ms. */
const DESERTED_MS = 2000;

/** Opens the store and builds a window on it. Throws `TurnwiseError` where the store cannot be had. */
export async function openProduct(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  connectors: Connectors,
): Promise<Host> {
  await probeSqlite();
  const own = <T extends { dispose(): unknown }>(disposable: T): T => {
    context.subscriptions.push(disposable);
    return disposable;
  };
  const settings = own(new SettingsReader(log));
  const journal = openStore(settings.current['store.path'] || join(context.globalStorageUri.fsPath, 'turnwise.sqlite'));
  own({
    dispose: () => {
      journal.close();
    },
  });
  recoverActions(journal, log);
  const keys = own(new ServerKeys(context.secrets));
  const servers = own(new ServerPool(settings, keys, connectors, join(dirname(journal.path), 'engines')));
  const proposals = own(new ProposalDiff());
  const reports = own(new ReportDocument());
  const tools = own(new WorkspaceTools(settings));
  const bundled = await bundledCalibration();
  const options = (): ScoreOptions => scoreOptions({ settings, servers, journal }, bundled);
  const desk = new Desk(journal.memo, workspaceName());

  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (thrown) {
      log.warn(errorText(thrown));
    }
  };
  const remember = (episode: string): void => {
    attempt(() => {
      desk.open = episode;
    });
  };

  const kept = keptWords(desk, attempt);
  const shelf = own(new ContextShelf(kept));

  // The parts below know each other through these closures alone; all of them exist before the first is called.
  const review = new Review({
    journal,
    options,
    credit: () => creditOptions(settings.current),
    progressOf: (episode) => scoring.stateOf(episode),
    scorerKey: () => {
      const { key } = servers.describeScorer();
      // A server that was never connected has scored nothing of what is there; the engine may have, for an export.
      const never = settings.current['scoring.server'] === ENGINE_PROFILE ? null : key;
      return journal.memo.get(scorerMemo(key)) ?? never;
    },
  });
  const tree = own(openEpisodes({ journal, servers, log }, options, review, () => session.episode));
  const scoring = new ScoringWorker({
    journal,
    connect: () => servers.scorer(),
    options: () => ({
      enabled: settings.current['scoring.enabled'],
      scorer: servers.describeScorer().key,
      remote: servers.describeScorer().remote,
      yields: servers.describeScorer().yields,
      options: options(),
    }),
    onScorer: (scorer, { calibration }) => {
      attempt(() => {
        rememberPlaceholder(journal.memo, scorer, calibration);
      });
    },
    busy: () => session.acting,
    open: () => session.episode,
    onChange: (episode) => {
      tree.refresh(episode);
      attempt(() => {
        scoringStatus.update();
      });
    },
    onError: (error) => {
      log.warn(`Scoring: ${errorText(error)}`);
    },
  });
  const session = new ChatSession({
    journal,
    connect: () => servers.chat(),
    tools: () => (servers.callsTools() ? tools.toolbox() : null),
    options: () => ({
      marker: settings.current['chat.answerMarker'],
      maxTurns: settings.current['chat.maxTurns'],
      skipSentence: settings.current['chat.skipSentence'],
      takesAgentPrompt: servers.takesAgentPrompt(),
      sampling: {
        temperature: settings.current['chat.temperature'],
        top_p: 1,
        top_k: null,
        seed: null,
        max_tokens: settings.current['chat.maxTokens'],
      },
    }),
    surroundings: () => {
      const { name, remote, notice, examples } = servers.describeChat();
      const warning = warningOf(settings, servers);
      return {
        ...{ chatServer: { name, remote }, notice, examples, blocked: journal.readOnly, warning },
        ...{
          context: shelf.chips(),
          approval: tools.asked === null ? null : { command: tools.asked },
          testCommand: tools.testCommand,
        },
      };
    },
    drafts: kept,
    onView: (view) => {
      chat.show(view);
      if (view.episode !== null) remember(view.episode);
      void vscode.commands.executeCommand('setContext', 'turnwise.acting', session.acting);
      if (view.turns.length > 0) void vscode.commands.executeCommand('setContext', 'turnwise.talked', true);
      if (!session.acting) scoring.kick();
    },
    onDelta: (turn, text) => {
      chat.delta(turn, text);
    },
    onState: (state) => {
      attempt(() => {
        review.noteOutcome(state);
      });
      scoring.wish(state);
      // The first words make a new row; later ones change one.
      tree.refresh(state.turns.length === 0 ? null : state.id);
    },
  });
  const chat = own(
    new ChatWebview(
      context.extensionUri,
      {
        view: () => session.view(),
        handle: (intent) => {
          void followIntent(host, intent);
        },
      },
      log,
    ),
  );
  const saves = own(
    new AcceptedSaves(({ episode, turn }, share) => {
      session.recordSurvival(episode, turn, share).catch((thrown: unknown) => {
        log.warn(`What is left of a proposal was not recorded: ${errorText(thrown)}`);
      });
    }),
  );
  own({ dispose: () => scoring.dispose() });
  own(new StatusBar(servers));
  const scoringStatus = own(new ScoringStatus(journal.queue, scoring));
  const publish = (): void => {
    session.publish();
  };
  for (const changed of [servers.onDidChange, shelf.onDidChange, tools.onDidChange]) own(changed(publish));
  const reviews = own(
    new ReviewPanels(
      context.extensionUri,
      reviewSource(review, () => host),
      new ReviewPlaces(journal.memo, workspaceName()),
      log,
    ),
  );
  own(
    tree.onDidChangeTreeData(() => {
      reviews.refresh();
    }),
  );
  let scorerSetup = servers.scorerSetup();
  const mended = (): void => {
    servers.askAgain();
    void servers.lookAtScorer();
    scoring.retryMended();
    tree.refresh();
  };
  own(
    settings.onDidChange(() => {
      session.publish();
      tree.refresh();
      const setup = servers.scorerSetup();
      if (setup === scorerSetup) scoring.kick();
      else mended();
      scorerSetup = setup;
      attempt(() => {
        scoringStatus.update();
      });
    }),
  );
  own(
    keys.onDidChange((profile) => {
      if (profile === settings.current['scoring.server']) mended();
    }),
  );

  const host: Host = {
    extensionUri: context.extensionUri,
    log,
    journal,
    settings,
    keys,
    servers,
    session,
    scoring,
    chat,
    tree,
    scoringStatus,
    proposals,
    reports,
    saves,
    reviews,
    context: shelf,
    tools,
    scoreOptions: options,
    overrides: new Overrides(journal, (state) => {
      session.refresh();
      tree.refresh(state.id);
    }),
    openEpisode: async (id) => {
      await session.open(id);
      desk.open = id;
      tree.refresh();
    },
  };
  await reopen(host, desk.open);
  own(watchStore(host));
  scoring.kick();
  return host;
}

/** The editor's Node must bring its own SQLite, with online backup. */
async function probeSqlite(): Promise<void> {
  try {
    const { backup } = await import('node:sqlite');
    if (typeof backup === 'function') return;
  } catch {
    // Said below.
  }
  throw new TurnwiseError(
    'environment',
    'no_sqlite',
    vscode.l10n.t('This editor runs Node {version}, which has no usable SQLite; update VS Code to 1.104 or newer.', {
      version: process.versions.node,
    }),
  );
}

function openStore(path: string): Journal {
  try {
    makeFolder(dirname(path));
  } catch {
    // Opening the file says what is wrong, in words.
  }
  return openJournal(path);
}

/** Folder by folder: where none can be made (below /proc, say), the recursive kind of Node never returns. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

/** What another process left unfinished is marked interrupted, so that the chat offers Continue. */
function recoverActions(journal: Journal, log: vscode.LogOutputChannel): void {
  if (journal.readOnly !== null) return;
  const { interrupted, unreadable } = recover(journal);
  if (interrupted.length > 0) log.info(`${interrupted.length} interrupted actions were found.`);
  for (const error of unreadable) log.error(error.message);
}

/** The conversation that this workspace last showed; one that is gone or damaged is said and left. */
async function reopen(host: Host, remembered: string | null): Promise<void> {
  if (remembered === null) return;
  try {
    await host.session.open(remembered);
  } catch (thrown) {
    host.log.warn(errorText(thrown));
  }
}

/** Shows what other windows and the command line write to the store. */
function watchStore({ journal, session, scoring, scoringStatus, tree, log }: Host): vscode.Disposable {
  let waiting: NodeJS.Timeout | null = null;
  const look = (): void => {
    waiting = null;
    try {
      if (!journal.changedElsewhere()) return;
      session.refresh();
      tree.refresh();
      scoringStatus.update();
      scoring.kick();
    } catch (thrown) {
      log.warn(errorText(thrown));
    }
  };
  const soon = (): void => {
    waiting ??= setTimeout(look, LOOK_MS);
  };
  // Whoever waits for another window is not told when that one dies.
  const awaiting = setInterval(() => {
    if (session.state.phase !== 'acting' || session.acting) return;
    recoverActions(journal, log);
    session.refresh();
  }, DESERTED_MS);
  const subscriptions: { dispose(): unknown }[] = [
    vscode.window.onDidChangeWindowState(soon),
    {
      dispose: () => {
        clearInterval(awaiting);
      },
    },
  ];
  try {
    // SQLite's log stands beside the store; it is what changes.
    const watcher = watch(dirname(journal.path), (_event, name) => {
      if (name?.startsWith(basename(journal.path)) === true) soon();
    });
    watcher.on('error', () => {
      watcher.close();
    });
    subscriptions.push({
      dispose: () => {
        watcher.close();
      },
    });
  } catch {
    // Some file systems tell nothing; looking when the window gets the focus has to do there.
  }
  return new vscode.Disposable(() => {
    if (waiting !== null) clearTimeout(waiting);
    for (const subscription of subscriptions) subscription.dispose();
  });
}

/** Names the folder or workspace of this window; windows without one share a name. */
function workspaceName(): string {
  const { workspaceFile, workspaceFolders } = vscode.workspace;
  return (workspaceFile ?? workspaceFolders?.[0]?.uri)?.toString() ?? 'no folder';
}

function warningOf(settings: SettingsReader, { health, scorerProblem }: ServerPool): string | null {
  if (health.state === 'failed') return health.message;
  if (!vscode.workspace.isTrusted)
    return vscode.l10n.t('This workspace is not trusted: only the local engine is used.');
  return settings.problems[0]?.message ?? scorerProblem;
}

import type { DatabaseSync, SQLInputValue, StatementResultingChanges } from 'node:sqlite';
import type { Point } from './record.ts';

/** Dies at a point of the n-th writing transaction (from 1), or of the first one after it that has this point; null: somebody else ends this process. */
export interface KillPlan {
  readonly transaction: number;
  readonly point: Point;
}

/**
 * Puts the points of death into a connection's own statements, below the product's code: before BEGIN reaches SQLite, once
 * something is written or before COMMIT reaches it, and when COMMIT is done but nobody was told. `acknowledged` is the last
 * one: it belongs behind the acknowledgement. With `torn` every statement is a transaction of its own: the planted fault.
 */
export function armed(
  db: DatabaseSync,
  plan: KillPlan | null,
  { torn, stand }: { readonly torn: boolean; readonly stand: (point: Point) => void },
): { readonly acknowledged: () => void } {
  const exec = db.exec.bind(db);
  const prepare = db.prepare.bind(db);
  let count = 0;
  const reach = (point: Point): void => {
    if (plan !== null && count >= plan.transaction && plan.point === point) process.kill(process.pid, 'SIGKILL');
  };
  db.exec = (sql) => {
    if (sql === 'BEGIN IMMEDIATE') {
      count += 1;
      stand('before');
      reach('before');
      if (!torn) exec(sql);
      stand('inside');
    } else if (sql === 'COMMIT' && (db.isTransaction || torn)) {
      reach('inside');
      if (db.isTransaction) exec(sql);
      stand('between');
      reach('between');
    } else {
      exec(sql);
    }
  };
  db.prepare = (sql) => {
    const statement = prepare(sql);
    if (!sql.startsWith('INSERT INTO event')) return statement;
    const run = statement.run.bind(statement);
    const dying = (...values: SQLInputValue[]): StatementResultingChanges => {
      const done = run(...values);
      // Every second transaction dies with a part of its rows written, the others with all of them.
      if (count % 2 === 0) reach('inside');
      return done;
    };
    statement.run = dying as typeof statement.run;
    return statement;
  };
  return {
    acknowledged: () => {
      stand('after');
      reach('after');
    },
  };
}

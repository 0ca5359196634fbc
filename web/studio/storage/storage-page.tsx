import { useEffect, useState } from "preact/hooks";
import type { StorageConnection, StorageMigration } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { poll } from "../api/poll.ts";
import { useTitle } from "../ui/title.ts";
import { toast } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { ConnectionCard } from "./connection-card.tsx";
import { ConnectionDialog } from "./connection-dialog.tsx";
import { IconPlus } from "./icons.tsx";
import { MigrationDialog, MigrationPanel } from "./migration-panel.tsx";
import "./storage-page.css";

interface Loaded {
  readonly connections: readonly StorageConnection[];
  readonly migrations: readonly StorageMigration[];
}

/** A migration that is over is still worth showing for so long. */
const RECENT_MILLISECONDS = 24 * 3_600_000;

/** Where the company's files are kept, and where new ones go. */
export function StoragePage() {
  useTitle("Storage");
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [open, setOpen] = useState<"add" | "move" | null>(null);
  // Counted up after a change of our own, to read the result at once.
  const [changes, setChanges] = useState(0);
  const refresh = () => setChanges((before) => before + 1);
  const close = () => setOpen(null);

  useEffect(sayWhatYandexAnswered, []);
  useEffect(
    () =>
      poll(async (signal) => {
        try {
          const [connections, migrations] = await Promise.all([
            api.listConnections(signal),
            api.listMigrations(signal),
          ]);
          setLoaded({ connections, migrations });
          setError(null);
          return migrations.some(({ state }) => state === "running");
        } catch (reason) {
          if (!signal.aborted) setError(messageOf(reason));
          throw reason;
        }
      }),
    [changes],
  );

  const current = loaded?.connections.find(({ is_current }) => is_current);
  const all = totalOf(loaded?.connections ?? []);
  const migration = loaded?.migrations[0];
  const isMoving = migration?.state === "running" || migration?.state === "paused";
  const nameOf = (id: string) =>
    loaded?.connections.find((each) => each.id === id)?.name ?? "a deleted storage";
  return (
    <div class="storage-page">
      <div class="page-intro">
        <div>
          <h1>Storage</h1>
          <p class="description">
            Where your photos, markers and videos are kept. New files go to the storage in use; the others
            keep serving what they hold.
          </p>
        </div>
        <button type="button" class="button primary" onClick={() => setOpen("add")}>
          <IconPlus />
          Add a storage
        </button>
      </div>
      {error && (
        <p class="banner bad" role="status">
          {error}
        </p>
      )}
      {!loaded && !error && <span class="spinner large" role="img" aria-label="Loading" />}
      {migration && (isMoving || isRecent(migration)) && (
        <MigrationPanel
          key={migration.id}
          migration={migration}
          toName={nameOf(migration.to)}
          onChange={refresh}
          onAgain={() => setOpen("move")}
        />
      )}
      {loaded && (
        <div class="connections">
          {loaded.connections.map((connection) => (
            <ConnectionCard
              key={connection.id}
              connection={connection}
              all={all}
              isMoving={isMoving}
              onChange={refresh}
              onMove={() => setOpen("move")}
            />
          ))}
        </div>
      )}
      {open === "add" && (
        <ConnectionDialog
          saved={null}
          onSaved={() => {
            close();
            refresh();
          }}
          onClose={close}
        />
      )}
      {open === "move" && current && (
        <MigrationDialog
          to={current.id}
          toName={current.name}
          files={all.count - current.files.count}
          onStarted={() => {
            close();
            refresh();
          }}
          onClose={close}
        />
      )}
    </div>
  );
}

function totalOf(connections: readonly StorageConnection[]) {
  const count = connections.reduce((sum, { files }) => sum + files.count, 0);
  const bytes = connections.reduce((sum, { files }) => sum + files.bytes, 0);
  return { count, bytes };
}

function isRecent({ updated_at: at }: StorageMigration): boolean {
  return Date.now() - Date.parse(at) < RECENT_MILLISECONDS;
}

/** Whoever allowed the access at Yandex comes back with the outcome in the address. */
function sayWhatYandexAnswered(): void {
  const answer = new URLSearchParams(location.search);
  if (answer.has("connection")) toast("Your Yandex Disk is connected. Test it, then use it.");
  const refusal = answer.get("error");
  if (refusal) toast(refusal, "bad");
  if (location.search) history.replaceState(history.state, "", location.pathname);
}

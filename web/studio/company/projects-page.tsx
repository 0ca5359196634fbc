import { useEffect, useState } from "preact/hooks";
import type { Project, ProjectChange } from "../../../client/client.ts";
import { Field, Form } from "../account/form.tsx";
import { may } from "../account/me.ts";
import { ALL_PHOTOS, addressOf } from "../photos/filter.ts";
import { useAction } from "../ui/action.ts";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { Loading } from "../ui/loading.tsx";
import { useTitle } from "../ui/title.ts";
import { toast } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { archivedProjects, loadProjects, openProjects, projects } from "./projects.ts";
import "../account/account.css";

export function ProjectsPage() {
  useTitle("Projects");
  useEffect(() => void loadProjects(), []);
  const all = projects.value;
  const archived = archivedProjects(all ?? []);
  return (
    <div class="account-page">
      <h1>Projects</h1>
      {!all && <Loading />}
      {all && (
        <section class="panel" aria-label="Projects">
          <Rows projects={openProjects(all)} />
          {may("projects:manage") && (
            <Form
              action="Create project"
              isRow
              onSubmit={async ({ name }) => {
                await api.createProject(name);
                await loadProjects();
              }}
            >
              <Field label="Project name" name="name" autocomplete="off" maxLength={100} />
            </Form>
          )}
        </section>
      )}
      {archived.length > 0 && (
        <section class="panel" aria-labelledby="archived-title">
          <h2 id="archived-title">Archived projects</h2>
          <p class="hint">You cannot add photos to archived projects. Their printed photos still work.</p>
          <Rows projects={archived} />
        </section>
      )}
    </div>
  );
}

function Rows(props: { projects: readonly Project[] }) {
  const [edited, setEdited] = useState<Project | null>(null);
  return (
    <>
      <ul class="rows">
        {props.projects.map((project) => (
          <li key={project.id}>
            <span>
              <bdi>{project.name}</bdi> <small>{describe(project)}</small>
            </span>
            <a class="button small" href={addressOf({ ...ALL_PHOTOS, project: project.id })}>
              Show photos<span class="visually-hidden"> of {project.name}</span>
            </a>
            {may("projects:manage") && (
              <button type="button" class="button small" onClick={() => setEdited(project)}>
                Edit settings<span class="visually-hidden"> of {project.name}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      {edited && <SettingsDialog project={edited} onClose={() => setEdited(null)} />}
    </>
  );
}

function describe({ contents, max_features, expires_after_days }: Project): string {
  const facts = [contents === 1 ? "1 photo" : `${contents} photos`];
  if (max_features !== null) facts.push(`up to ${max_features} points`);
  if (expires_after_days !== null) facts.push(`shown for ${expires_after_days} days`);
  return facts.join(", ");
}

function SettingsDialog({ project, onClose }: { project: Project; onClose: () => void }) {
  const { run, isRunning, error } = useAction();
  const change = (wanted: ProjectChange, done: string) =>
    run(async () => {
      await api.updateProject(project.id, wanted);
      toast(done);
      onClose();
      await loadProjects();
    });
  const isArchived = project.archived_at !== null;
  return (
    <Dialog title={project.name} error={error} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const fields = new FormData(event.currentTarget);
          const number = (name: string) => Number(fields.get(name)) || null;
          const wanted = {
            name: String(fields.get("name")),
            max_features: number("max_features"),
            expires_after_days: number("expires_after_days"),
          };
          void change(wanted, "Changes saved.");
        }}
      >
        <label class="field">
          Name
          <input name="name" required maxLength={100} defaultValue={project.name} />
        </label>
        <label class="field">
          Feature points per keyframe
          <input
            name="max_features"
            type="number"
            min={20}
            max={5000}
            placeholder="All"
            defaultValue={project.max_features ?? ""}
          />
          <small>Fewer points make a smaller marker, but photos are harder to find.</small>
        </label>
        <label class="field">
          Days until a photo expires
          <input
            name="expires_after_days"
            type="number"
            min={1}
            max={3650}
            placeholder="Never"
            defaultValue={project.expires_after_days ?? ""}
          />
          <small>Applies to photos that you add from now on.</small>
        </label>
        <DialogActions submit="Save changes" isRunning={isRunning} onClose={onClose}>
          <button
            type="button"
            class="button apart"
            disabled={isRunning}
            onClick={() =>
              void change({ archived: !isArchived }, isArchived ? "Project restored." : "Project archived.")
            }
          >
            {isArchived ? "Restore project" : "Archive project"}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

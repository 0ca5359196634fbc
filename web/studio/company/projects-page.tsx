import { useEffect, useState } from "preact/hooks";
import type { Project, ProjectChange } from "../../../client/client.ts";
import { Field, Form } from "../account/form.tsx";
import { may } from "../account/me.ts";
import { t } from "../language.ts";
import { ALL_PHOTOS, addressOf } from "../photos/filter.ts";
import { useAction } from "../ui/action.ts";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { photoCount } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { hidden, rich } from "../ui/rich.tsx";
import { useTitle } from "../ui/title.ts";
import { toast } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { archivedProjects, loadProjects, openProjects, projects } from "./projects.ts";
import "../account/account.css";

export function ProjectsPage() {
  const texts = t.company.projects;
  const title = t.frame.pages.projects;
  useTitle(title);
  useEffect(() => void loadProjects(), []);
  const all = projects.value;
  const archived = archivedProjects(all ?? []);
  return (
    <div class="account-page">
      <h1>{title}</h1>
      {!all && <Loading />}
      {all && (
        <section class="panel" aria-label={title}>
          <Rows projects={openProjects(all)} />
          {may("projects:manage") && (
            <Form
              action={texts.create}
              isRow
              onSubmit={async ({ name }) => {
                await api.createProject(name);
                await loadProjects();
              }}
            >
              <Field label={texts.projectName} name="name" autocomplete="off" maxLength={100} />
            </Form>
          )}
        </section>
      )}
      {archived.length > 0 && (
        <section class="panel" aria-labelledby="archived-title">
          <h2 id="archived-title">{texts.archivedHeading}</h2>
          <p class="hint">{texts.archivedEffect}</p>
          <Rows projects={archived} />
        </section>
      )}
    </div>
  );
}

function Rows(props: { projects: readonly Project[] }) {
  const texts = t.company.projects;
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
              {rich(texts.showPhotos, { hidden, name: () => project.name })}
            </a>
            {may("projects:manage") && (
              <button type="button" class="button small" onClick={() => setEdited(project)}>
                {rich(texts.editSettings, { hidden, name: () => project.name })}
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
  const texts = t.company.projects;
  const facts = [photoCount(contents)];
  if (max_features !== null) facts.push(texts.maxPoints(max_features));
  if (expires_after_days !== null) facts.push(texts.daysShown(expires_after_days));
  return facts.join(", ");
}

function SettingsDialog({ project, onClose }: { project: Project; onClose: () => void }) {
  const texts = t.company.projects;
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
          void change(wanted, texts.saved);
        }}
      >
        <label class="field">
          {texts.name}
          <input name="name" required maxLength={100} defaultValue={project.name} />
        </label>
        <label class="field">
          {texts.points}
          <input
            name="max_features"
            type="number"
            min={20}
            max={5000}
            placeholder={texts.allPoints}
            defaultValue={project.max_features ?? ""}
          />
          <small>{texts.pointsHint}</small>
        </label>
        <label class="field">
          {texts.days}
          <input
            name="expires_after_days"
            type="number"
            min={1}
            max={3650}
            placeholder={texts.neverExpires}
            defaultValue={project.expires_after_days ?? ""}
          />
          <small>{texts.daysHint}</small>
        </label>
        <DialogActions submit={texts.save} isRunning={isRunning} onClose={onClose}>
          <button
            type="button"
            class="button apart"
            disabled={isRunning}
            onClick={() =>
              void change({ archived: !isArchived }, isArchived ? texts.restored : texts.archived)
            }
          >
            {isArchived ? texts.restore : texts.archive}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import { may } from "../account/me.ts";
import { DropZone } from "../add/drop-zone.tsx";
import { messageOf } from "../api/errors.ts";
import { poll } from "../api/poll.ts";
import { loadProjects, projectOf } from "../company/projects.ts";
import { t } from "../language.ts";
import { count } from "../ui/format.ts";
import { IconPhoto, IconScan, IconVideo } from "../ui/icons.tsx";
import { hidden, rich } from "../ui/rich.tsx";
import { useTitle } from "../ui/title.ts";
import { toastError } from "../ui/toasts.tsx";
import { type Job, jobOf, jobs } from "../upload/jobs.ts";
import { jobProgressView } from "../upload/progress.ts";
import { ActionBar } from "./action-bar.tsx";
import { ContentCard } from "./content-card.tsx";
import { contents } from "./contents.ts";
import { addressOf, type Filter, filterOf, isFiltered } from "./filter.ts";
import { FilterBar } from "./filter-bar.tsx";
import { loadedAtPlace, notePlace, returnToPlace } from "./place.ts";
import { RunBar } from "./run-bar.tsx";
import { selection } from "./selection.ts";
import { ProgressBar } from "./status.tsx";
import "./grid-page.css";

export function GridPage() {
  useTitle("");
  const filter = contents.filter.value;
  useAddress(filter);
  // Load a changed filter at once.
  useEffect(() => poll(contents.refresh), [filter]);
  useEffect(() => void loadProjects(), []);
  usePlace();

  const uploads = jobs.value.filter(({ previewUrl }) => previewUrl !== null);
  const items = contents.items.value;
  const filtered = isFiltered(filter);
  const isStale = contents.isStale.value;
  const isEmpty = items?.length === 0 && uploads.length === 0 && !filtered && !isStale;
  if (isEmpty && filter.project === "") return <Welcome />;
  // Keep the place until the first answer decides which page it will be: a replaced button would lose the focus.
  const isUnfiltered = !filtered && filter.project === "";
  const undecided = items === null && uploads.length === 0 && isUnfiltered && !contents.error.value;

  return (
    <div class="grid-page">
      <div class="page-head">
        <h1>{t.photos.heading}</h1>
        {items && <Count />}
      </div>
      <div class={undecided ? "undecided" : undefined}>
        {may("content:submit") && !isEmpty && <DropZone large={false} />}
        <FilterBar />
      </div>
      {contents.error.value && <p class="banner bad">{messageOf(contents.error.value)}</p>}
      <RunBar />
      <RetryAll uploads={uploads} />
      <ActionBar />
      <ul
        class={selection.photos.value.size > 0 ? "grid selecting" : "grid"}
        aria-label={t.photos.heading}
        aria-busy={isStale}
        onKeyDown={selectByKey}
      >
        {uploads.map((job) => (
          <li key={`job-${job.key}`}>
            <JobCard job={job} />
          </li>
        ))}
        {items
          ?.filter(({ id }) => jobOf(id)?.previewUrl == null)
          .map((content) => (
            <li key={content.id} class={isStale ? "stale" : undefined}>
              <ContentCard content={content} />
            </li>
          ))}
        {(items === null || (isStale && items.length === 0)) && !contents.error.value && <Skeletons />}
      </ul>
      {isEmpty && <EmptyProject />}
      {items?.length === 0 && filtered && !isStale && <NothingFound hasMore={contents.hasMore.value} />}
      {contents.hasMore.value && (
        <button
          type="button"
          class="button more"
          disabled={contents.loadingMore.value}
          onClick={() => contents.loadMore().catch(toastError)}
        >
          {loadMoreLabel(items?.length === 0)}
        </button>
      )}
    </div>
  );
}

/** Keeps the filter and the address of the page equal. A new address wins over the filter. */
function useAddress(filter: Filter): void {
  const { url, route } = useLocation();
  const seen = useRef<string | null>(null);
  useEffect(() => {
    if (seen.current !== url) {
      seen.current = url;
      contents.setFilter(filterOf(url));
    }
    const address = addressOf(contents.filter.value);
    if (address === url) return;
    seen.current = address;
    route(address, true);
  }, [url, filter]);
}

/** Notes the place in the list, and returns to it after a reload. */
function usePlace(): void {
  const isLoaded = contents.items.value !== null;
  useEffect(() => {
    if (!isLoaded) return;
    const noting = new AbortController();
    // Until then, the browser's own scrolling would change the place.
    void returnAfterReload()
      .catch(toastError)
      .finally(() => notePlace(noting.signal));
    return () => noting.abort();
  }, [isLoaded]);
}

let hasReturned = false;

/** Loads and shows the place again, once after the page was reloaded or the browser went back to it. */
async function returnAfterReload(): Promise<void> {
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  if (hasReturned || navigation?.type === "navigate") return;
  hasReturned = true;
  while ((contents.items.value?.length ?? 0) < loadedAtPlace() && contents.hasMore.value) {
    await contents.loadMore();
  }
  returnToPlace();
}

/** Escape clears the selection; Ctrl+A or ⌘A selects all photos of the filter. */
function selectByKey(event: KeyboardEvent): void {
  if (event.key === "Escape") selection.clear();
  if (event.key.toLowerCase() !== "a" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  void selection.selectAll();
}

/** One button to retry several uploads. */
function RetryAll({ uploads }: { uploads: readonly Job[] }) {
  const all = uploads.filter(({ state }) => state.value.kind === "retryable");
  if (all.length < 2) return null;
  const retry = () => {
    for (const job of all) job.retry();
  };
  const dismiss = () => {
    for (const job of all) job.dismiss();
  };
  const texts = t.photos.uploads;
  return (
    <div class="banner bad retry-all">
      <p>{texts.notStored(all.length)}</p>
      <button type="button" class="button small" onClick={retry}>
        {texts.retryAll}
      </button>
      <button type="button" class="button small" onClick={dismiss}>
        {texts.dismissAll}
      </button>
    </div>
  );
}

function Count() {
  const total = contents.total.value;
  const shown = contents.isTotalExact.value ? count(total) : t.photos.atLeast(count(total));
  return <p class="count">{rich(t.photos.count(total, shown), { hidden })}</p>;
}

function JobCard({ job }: { job: Job }) {
  const state = job.state.value;
  const failed = state.kind === "refused" || state.kind === "retryable";
  const texts = t.photos.uploads;
  return (
    <article class={failed ? "card job failed" : "card job"} aria-label={job.title}>
      <div class="card-picture">
        <Preview job={job} />
      </div>
      <div class="card-text">
        <h2 dir="auto">{job.title}</h2>
        {state.kind === "running" && (
          <ProgressBar view={jobProgressView(state.progress)} label={texts.adding(job.title)} />
        )}
        {state.kind === "cancelling" && <p class="card-meta">{texts.canceling}</p>}
        {failed && (
          <p class="card-error" role="alert">
            {state.message}
          </p>
        )}
        <div class="card-actions">
          {state.kind === "running" && (
            <button type="button" class="button small" onClick={job.cancel}>
              {texts.cancel}
            </button>
          )}
          {state.kind === "retryable" && (
            <button type="button" class="button small primary" onClick={job.retry}>
              {texts.retry}
            </button>
          )}
          {failed && (
            <button type="button" class="button small" onClick={job.dismiss}>
              {texts.dismiss}
            </button>
          )}
        </div>
      </div>
    </article>
  );
}

/** The photo, or an icon if this browser cannot show the file. */
function Preview({ job }: { job: Job }) {
  return (
    <>
      <IconPhoto />
      <img
        src={job.previewUrl!}
        alt=""
        decoding="async"
        onError={({ currentTarget }) => currentTarget.remove()}
      />
    </>
  );
}

function Skeletons() {
  return [0, 1, 2, 3].map((n) => (
    <li key={n} aria-hidden="true">
      <div class="card skeleton">
        <div class="card-picture" />
        <div class="card-text" />
      </div>
    </li>
  ));
}

function loadMoreLabel(isSearching: boolean): string {
  const { searching, loading, searchOlder, loadMore } = t.photos;
  if (contents.loadingMore.value) return isSearching ? searching : loading;
  return isSearching ? searchOlder : loadMore;
}

function NothingFound({ hasMore }: { hasMore: boolean }) {
  return (
    <div class="nothing-found">
      <p>{hasMore ? t.photos.noMatchYet : t.photos.noMatch}</p>
      <button
        type="button"
        class="button"
        onClick={() => contents.setFilter({ q: "", status: "", show: [] })}
      >
        {t.photos.filter.clear}
      </button>
    </div>
  );
}

function EmptyProject() {
  const project = projectOf(contents.filter.value.project);
  const canAdd = may("content:submit") && project?.archived_at === null;
  return (
    <div class="empty-project">
      <p dir="auto">{project ? t.photos.projectEmpty(project.name) : t.photos.unknownProjectEmpty}</p>
      {canAdd && <DropZone large />}
    </div>
  );
}

function Welcome() {
  const texts = t.photos.welcome;
  const steps = [
    [<IconPhoto key="icon" />, texts.drop, texts.dropEffect],
    [<IconVideo key="icon" />, texts.attach, texts.attachEffect],
    [<IconScan key="icon" />, texts.scan, texts.scanEffect],
  ] as const;
  return (
    <div class="welcome">
      <h1>{texts.heading}</h1>
      <p class="lead">{texts.lead}</p>
      {may("content:submit") ? <DropZone large /> : <p>{texts.noPhotos}</p>}
      <ol class="steps">
        {steps.map(([icon, title, words]) => (
          <li key={title}>
            {icon}
            <h2>{title}</h2>
            <p>{words}</p>
          </li>
        ))}
      </ol>
    </div>
  );
}

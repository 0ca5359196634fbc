import { useEffect, useState } from "preact/hooks";
import type { Project } from "../../../client/client.ts";
import { archivedProjects, openProjects, projects } from "../company/projects.ts";
import { IconSearch } from "../ui/icons.tsx";
import { contents } from "./contents.ts";
import { type Filter, keysOf, SHOW_LABELS, type Show, SORT_LABELS } from "./filter.ts";
import { STATUS_LABELS } from "./status.tsx";
import "./filter-bar.css";

/** The search starts after the typing has paused for this long. */
const SEARCH_PAUSE_MS = 250;

/** The search, the filters and the order of the photos. */
export function FilterBar() {
  const { q, status, show } = contents.filter.value;
  const [typed, setTyped] = useState(q);
  useEffect(() => {
    const timer = setTimeout(() => contents.setFilter({ q: typed }), SEARCH_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  useEffect(() => setTyped(q), [q]);
  const statuses: [Filter["status"], string][] = [
    ["", "All"],
    ...keysOf(STATUS_LABELS).map((key): [Filter["status"], string] => [key, STATUS_LABELS[key]]),
  ];
  const toggle = (key: Show) =>
    contents.setFilter({ show: show.includes(key) ? show.filter((other) => other !== key) : [...show, key] });
  return (
    <search class="filter-bar">
      <label class="search-field">
        <span class="visually-hidden">Search by title, description, order number or customer</span>
        <IconSearch />
        <input
          type="search"
          placeholder="Search"
          value={typed}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      </label>
      <ProjectChoice />
      <fieldset class="segments">
        <legend class="visually-hidden">Status</legend>
        {statuses.map(([value, label]) => (
          <label key={value} class="segment">
            <input
              type="radio"
              name="status"
              value={value}
              checked={status === value}
              onChange={() => contents.setFilter({ status: value })}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <fieldset class="chips">
        <legend class="visually-hidden">Show only</legend>
        {keysOf(SHOW_LABELS).map((key) => (
          <label key={key} class="chip">
            <input type="checkbox" checked={show.includes(key)} onChange={() => toggle(key)} />
            <span>{SHOW_LABELS[key]}</span>
          </label>
        ))}
      </fieldset>
      <SortChoice />
    </search>
  );
}

function SortChoice() {
  return (
    <label class="list-choice sort-choice">
      <span class="visually-hidden">Sort by</span>
      <select
        value={contents.filter.value.sort}
        onChange={({ currentTarget }) => contents.setFilter({ sort: currentTarget.value as Filter["sort"] })}
      >
        {keysOf(SORT_LABELS).map((key) => (
          <option key={key} value={key}>
            {SORT_LABELS[key]}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Hidden if there is only one project. */
function ProjectChoice() {
  const all = projects.value ?? [];
  const archived = archivedProjects(all);
  if (all.length < 2) return null;
  const options = (some: readonly Project[]) =>
    some.map(({ id, name }) => (
      <option key={id} value={id}>
        {name}
      </option>
    ));
  return (
    <label class="list-choice">
      <span class="visually-hidden">Project</span>
      <select
        value={contents.filter.value.project}
        onChange={({ currentTarget }) => contents.setFilter({ project: currentTarget.value })}
      >
        <option value="">All projects</option>
        {options(openProjects(all))}
        {archived.length > 0 && <optgroup label="Archived">{options(archived)}</optgroup>}
      </select>
    </label>
  );
}

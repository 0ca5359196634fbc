import { useEffect, useState } from "preact/hooks";
import type { Project } from "../../../client/client.ts";
import { archivedProjects, openProjects, projects } from "../company/projects.ts";
import { t } from "../language.ts";
import { IconSearch } from "../ui/icons.tsx";
import { contents } from "./contents.ts";
import { type Filter, SHOWS, type Show, SORTS, STATUSES } from "./filter.ts";
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
  const texts = t.photos.filter;
  const toggle = (key: Show) =>
    contents.setFilter({ show: show.includes(key) ? show.filter((other) => other !== key) : [...show, key] });
  return (
    <search class="filter-bar">
      <label class="search-field">
        <span class="visually-hidden">{texts.searchedFields}</span>
        <IconSearch />
        <input
          type="search"
          placeholder={texts.search}
          value={typed}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      </label>
      <ProjectChoice />
      <fieldset class="segments">
        <legend class="visually-hidden">{texts.status}</legend>
        {(["", ...STATUSES] as const).map((value) => (
          <label key={value} class="segment">
            <input
              type="radio"
              name="status"
              value={value}
              checked={status === value}
              onChange={() => contents.setFilter({ status: value })}
            />
            <span>{value === "" ? texts.all : t.photos.status[value]}</span>
          </label>
        ))}
      </fieldset>
      <fieldset class="chips">
        <legend class="visually-hidden">{texts.showOnly}</legend>
        {SHOWS.map((key) => (
          <label key={key} class="chip">
            <input type="checkbox" checked={show.includes(key)} onChange={() => toggle(key)} />
            <span>{texts.show[key]}</span>
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
      <span class="visually-hidden">{t.photos.filter.sortBy}</span>
      <select
        value={contents.filter.value.sort}
        onChange={({ currentTarget }) => contents.setFilter({ sort: currentTarget.value as Filter["sort"] })}
      >
        {SORTS.map((key) => (
          <option key={key} value={key}>
            {t.photos.filter.sort[key]}
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
  const texts = t.photos.filter;
  if (all.length < 2) return null;
  const options = (some: readonly Project[]) =>
    some.map(({ id, name }) => (
      <option key={id} value={id}>
        {name}
      </option>
    ));
  return (
    <label class="list-choice">
      <span class="visually-hidden">{texts.project}</span>
      <select
        value={contents.filter.value.project}
        onChange={({ currentTarget }) => contents.setFilter({ project: currentTarget.value })}
      >
        <option value="">{texts.allProjects}</option>
        {options(openProjects(all))}
        {archived.length > 0 && <optgroup label={texts.archived}>{options(archived)}</optgroup>}
      </select>
    </label>
  );
}

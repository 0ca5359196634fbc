import { describe, expect, it } from "vitest";
import type { ArContentPage } from "../../../../client/client.ts";
import { type ContentList, extended, refreshed } from "../../../../web/studio/photos/content-list.ts";
import {
  ALL_PHOTOS,
  addressOf,
  type Filter,
  filterOf,
  queryOf,
} from "../../../../web/studio/photos/filter.ts";
import { content } from "../content.ts";

const filter = ALL_PHOTOS;

/** Returns items named after the minute of their creation, newest first. */
const item = (minute: number, title = `m${minute}`) =>
  content({
    id: `m${minute}`,
    title,
    created_at: `2026-01-01T00:${String(minute).padStart(2, "0")}:00.000Z`,
  });
const page = (minutes: number[], next: string | null, total = 9): ArContentPage => ({
  items: minutes.map((minute) => item(minute)),
  next_cursor: next,
  total,
  is_total_exact: true,
});
const list = (minutes: number[], nextCursor: string | null): ContentList => ({
  filter,
  items: minutes.map((minute) => item(minute, "old")),
  total: 9,
  isTotalExact: true,
  nextCursor,
});
const ids = ({ items }: ContentList) => items.map(({ id }) => id);

describe("refreshed", () => {
  it("takes the first page as it is", () => {
    const after = refreshed(null, filter, page([9, 8], "next"));
    expect(ids(after)).toEqual(["m9", "m8"]);
    expect(after.nextCursor).toBe("next");
  });

  it("shows new items first, updates known ones and keeps older loaded ones with their cursor", () => {
    const after = refreshed(list([8, 7, 6, 5], "after-5"), filter, page([9, 8, 7], "after-7"));
    expect(ids(after)).toEqual(["m9", "m8", "m7", "m6", "m5"]);
    expect(after.items.map(({ title }) => title)).toEqual(["m9", "m8", "m7", "old", "old"]);
    expect(after.nextCursor).toBe("after-5");
  });

  it("drops items that were deleted elsewhere", () => {
    const after = refreshed(list([9, 8, 7, 6, 5], "after-5"), filter, page([9, 7, 6], "after-6"));
    expect(ids(after)).toEqual(["m9", "m7", "m6", "m5"]);
  });

  it("keeps what was loaded when the first page of a search is empty, and more follow", () => {
    const empty = { ...page([], "after-1000", 0), is_total_exact: false };
    const after = refreshed(list([3, 2], "after-2"), filter, empty);
    expect(ids(after)).toEqual(["m3", "m2"]);
    expect([after.nextCursor, after.total, after.isTotalExact]).toEqual(["after-2", 0, false]);
    expect(refreshed(null, filter, empty)).toMatchObject({ items: [], nextCursor: "after-1000" });
  });

  it("drops everything older when the server has no more", () => {
    const after = refreshed(list([9, 8, 7], "after-7"), filter, page([9], null, 1));
    expect(ids(after)).toEqual(["m9"]);
    expect(after.nextCursor).toBeNull();
  });
});

describe("extended", () => {
  it("appends the next page, each item once", () => {
    const after = extended(list([9, 8], "after-8"), page([8, 7, 6], null));
    expect(ids(after)).toEqual(["m9", "m8", "m7", "m6"]);
    expect(after.nextCursor).toBeNull();
  });
});

describe("the address of a filter", () => {
  const everything: Filter = {
    q: "Анна & co",
    status: "ready",
    project: "project-1",
    sort: "expiry",
    show: ["without_video", "paused"],
  };

  it("brings the filter back", () => {
    expect(addressOf(ALL_PHOTOS)).toBe("/");
    expect(filterOf("/")).toEqual(ALL_PHOTOS);
    expect(filterOf(addressOf(everything))).toEqual(everything);
    expect(addressOf({ ...everything, show: ["paused", "without_video"] })).toBe(addressOf(everything));
  });

  it("ignores what is invalid", () => {
    expect(filterOf("/?status=done&sort=oldest&show=weak+all&other=1")).toEqual({
      ...ALL_PHOTOS,
      show: ["weak"],
    });
  });

  it("becomes a query of the API", () => {
    expect(queryOf(everything)).toEqual({
      q: "Анна & co",
      status: "ready",
      project_id: "project-1",
      sort: "expiry",
      without_video: "true",
      paused: "true",
    });
  });
});

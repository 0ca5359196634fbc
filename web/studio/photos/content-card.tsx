import type { ArContent } from "../../../client/client.ts";
import { t } from "../language.ts";
import { Stars } from "../quality.tsx";
import { ago } from "../ui/format.ts";
import { IconVideo } from "../ui/icons.tsx";
import { selection } from "./selection.ts";
import { contentProgressView, ProgressBar, StatusBadge } from "./status.tsx";

/** A photo in the grid: a link to its page, and a checkbox that selects it. */
export function ContentCard({ content }: { content: ArContent }) {
  const view = contentProgressView(content);
  const quality = content.marker_status === "ready" ? content.marker_metadata?.quality : null;
  const isSelected = selection.photos.value.has(content.id);
  return (
    <article class={isSelected ? "card selected" : "card"} data-content={content.id}>
      <label class="card-select">
        <span class="visually-hidden">{t.photos.select(content.title)}</span>
        <input
          type="checkbox"
          checked={isSelected}
          onClick={({ shiftKey }) => selection.toggle(content, shiftKey)}
        />
      </label>
      <a class="card-link" href={`/content/${content.id}`}>
        <div class="card-picture">
          <img src={content.thumbnail_url ?? content.image_url} alt="" loading="lazy" decoding="async" />
          {content.video_url && (
            <span class="card-video">
              <IconVideo />
              <span class="visually-hidden">{t.photos.hasVideo}</span>
            </span>
          )}
        </div>
        <div class="card-text">
          <h2 dir="auto">{content.title}</h2>
          {view ? (
            <ProgressBar view={view} label={t.photos.compiling(content.title)} />
          ) : (
            <p class="card-meta">
              <StatusBadge status={content.marker_status} />
              {!content.is_active && <span class="badge paused">{t.photos.paused}</span>}
              {quality && <Stars stars={quality.stars} />}
              {content.order_number !== null && <span dir="auto">{content.order_number}</span>}
              <span>{ago(content.created_at, Date.now())}</span>
            </p>
          )}
          {content.marker_status === "failed" && <p class="card-error">{content.error_message}</p>}
        </div>
      </a>
    </article>
  );
}

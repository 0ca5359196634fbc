import type { ArContent } from "../../../client/client.ts";

/** Returns a content as the API shows it right after a browser submission. */
export function content(change: Partial<ArContent> = {}): ArContent {
  const id = change.id ?? "content-1";
  return {
    id,
    project_id: "project",
    company_id: "company",
    unique_id: "11111111-1111-4111-8111-111111111111",
    title: "Portrait",
    description: "",
    image_url: `/media/${id}/image`,
    image_sha256: "00",
    image_width: 800,
    image_height: 600,
    image_bytes: 1_000,
    thumbnail_url: null,
    marker_url: null,
    marker_status: "processing",
    marker_generated_at: null,
    marker_metadata: null,
    max_features: null,
    video_url: null,
    video_bytes: null,
    video_type: null,
    video_metadata: null,
    is_active: true,
    expires_at: null,
    viewer_url: `/v/${id}`,
    qr_url: `/api/ar-content/${id}/qr.svg`,
    task_id: "task",
    executor: "browser",
    progress: null,
    error_code: null,
    error_message: null,
    created_at: "2026-01-01T00:00:00.000Z",
    updated_at: "2026-01-01T00:00:00.000Z",
    ...change,
  };
}

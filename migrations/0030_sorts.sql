-- What lists of photos are sorted by (worker/content/sorts.ts). Generated columns, because SQLite finds the beginning of
-- a page in an index only by columns, not by expressions.
ALTER TABLE ar_content ADD COLUMN sort_title text GENERATED ALWAYS AS (substr(search_text, 1, 64)) VIRTUAL;
--> statement-breakpoint
ALTER TABLE ar_content ADD COLUMN sort_score integer GENERATED ALWAYS AS (coalesce(json_extract(marker_metadata, '$.quality.score'), 101)) VIRTUAL;
--> statement-breakpoint
ALTER TABLE ar_content ADD COLUMN sort_expiry integer GENERATED ALWAYS AS (coalesce(expires_at, 9007199254740991)) VIRTUAL;
--> statement-breakpoint
CREATE INDEX ar_content_title ON ar_content (company_id, sort_title, id, project_id) WHERE deleted_at IS NULL;
--> statement-breakpoint
CREATE INDEX ar_content_score ON ar_content (company_id, sort_score, id, project_id) WHERE deleted_at IS NULL;
--> statement-breakpoint
CREATE INDEX ar_content_expiry ON ar_content (company_id, sort_expiry, id, project_id) WHERE deleted_at IS NULL;
--> statement-breakpoint
CREATE INDEX ar_content_project_title ON ar_content (project_id, sort_title, id) WHERE deleted_at IS NULL;
--> statement-breakpoint
CREATE INDEX ar_content_project_score ON ar_content (project_id, sort_score, id) WHERE deleted_at IS NULL;
--> statement-breakpoint
CREATE INDEX ar_content_project_expiry ON ar_content (project_id, sort_expiry, id) WHERE deleted_at IS NULL;
--> statement-breakpoint
CREATE INDEX ar_content_without_video ON ar_content (company_id, created_at, id, project_id) WHERE deleted_at IS NULL AND video_path IS NULL;
--> statement-breakpoint
CREATE INDEX ar_content_weak ON ar_content (company_id, created_at, id, project_id) WHERE deleted_at IS NULL AND json_extract(marker_metadata, '$.quality.stars') <= 2;
--> statement-breakpoint
CREATE INDEX ar_content_paused ON ar_content (company_id, created_at, id, project_id) WHERE deleted_at IS NULL AND is_active = 0;

-- What a company uses, counted in the transaction of each change (worker/quotas.ts).
UPDATE companies SET
  content_count = (SELECT count(*) FROM ar_content WHERE company_id = companies.id),
  content_bytes = (SELECT coalesce(sum(image_bytes + coalesce(video_bytes, 0) + coalesce(json_extract(marker_metadata, '$.bytes'), 0)), 0) FROM ar_content WHERE company_id = companies.id);
--> statement-breakpoint
INSERT INTO compilation_days (company_id, day, compilations)
  SELECT company_id, date(created_at / 1000, 'unixepoch'), count(*) FROM compile_tasks
  WHERE NOT (state = 'ready' AND executor IS NULL) GROUP BY 1, 2;
--> statement-breakpoint
CREATE TRIGGER ar_content_counted AFTER INSERT ON ar_content BEGIN
  UPDATE companies SET content_count = content_count + 1, content_bytes = content_bytes + new.image_bytes + coalesce(new.video_bytes, 0) + coalesce(json_extract(new.marker_metadata, '$.bytes'), 0) WHERE id = new.company_id;
END;
--> statement-breakpoint
CREATE TRIGGER ar_content_uncounted AFTER DELETE ON ar_content BEGIN
  UPDATE companies SET content_count = content_count - 1, content_bytes = content_bytes - (old.image_bytes + coalesce(old.video_bytes, 0) + coalesce(json_extract(old.marker_metadata, '$.bytes'), 0)) WHERE id = old.company_id;
END;
--> statement-breakpoint
CREATE TRIGGER ar_content_measured AFTER UPDATE OF image_bytes, video_bytes, marker_metadata ON ar_content BEGIN
  UPDATE companies SET content_bytes = content_bytes + (new.image_bytes + coalesce(new.video_bytes, 0) + coalesce(json_extract(new.marker_metadata, '$.bytes'), 0)) - (old.image_bytes + coalesce(old.video_bytes, 0) + coalesce(json_extract(old.marker_metadata, '$.bytes'), 0)) WHERE id = new.company_id;
END;
--> statement-breakpoint
CREATE TRIGGER compile_tasks_counted AFTER INSERT ON compile_tasks WHEN new.state <> 'ready' BEGIN
  INSERT INTO compilation_days (company_id, day, compilations) VALUES (new.company_id, date(new.created_at / 1000, 'unixepoch'), 1)
    ON CONFLICT (company_id, day) DO UPDATE SET compilations = compilations + 1;
END;

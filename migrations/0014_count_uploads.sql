-- A video that is uploaded in parts counts from the beginning of its upload (worker/quotas.ts).
UPDATE companies SET
  content_bytes = content_bytes + (SELECT coalesce(sum(bytes), 0) FROM video_uploads WHERE company_id = companies.id);
--> statement-breakpoint
CREATE TRIGGER video_uploads_counted AFTER INSERT ON video_uploads BEGIN
  UPDATE companies SET content_bytes = content_bytes + new.bytes WHERE id = new.company_id;
END;
--> statement-breakpoint
CREATE TRIGGER video_uploads_uncounted AFTER DELETE ON video_uploads BEGIN
  UPDATE companies SET content_bytes = content_bytes - old.bytes WHERE id = old.company_id;
END;
--> statement-breakpoint
-- Two owners who leave at the same moment, each seeing the other, are refused by the database: worker/routes/auth.ts.
CREATE TRIGGER members_owner_kept BEFORE DELETE ON members WHEN old.role = 'owner'
  AND EXISTS (SELECT 1 FROM companies WHERE id = old.company_id)
  AND NOT EXISTS (SELECT 1 FROM members WHERE company_id = old.company_id AND role = 'owner' AND id <> old.id)
BEGIN
  SELECT RAISE(ABORT, 'A company keeps an owner.');
END;
--> statement-breakpoint
CREATE TRIGGER members_owner_role_kept BEFORE UPDATE OF role ON members WHEN old.role = 'owner' AND new.role <> 'owner'
  AND NOT EXISTS (SELECT 1 FROM members WHERE company_id = old.company_id AND role = 'owner' AND id <> old.id)
BEGIN
  SELECT RAISE(ABORT, 'A company keeps an owner.');
END;

ALTER TABLE `ar_content` ADD `order_number` text;--> statement-breakpoint
ALTER TABLE `ar_content` ADD `customer_name` text;--> statement-breakpoint
ALTER TABLE `ar_content` ADD `customer_email` text;--> statement-breakpoint
ALTER TABLE `ar_content` ADD `customer_phone` text;--> statement-breakpoint
ALTER TABLE `ar_content` ADD `search_order` text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `ar_content_order` ON `ar_content` (`project_id`,`order_number`) WHERE order_number IS NOT NULL AND deleted_at IS NULL;
--> statement-breakpoint
-- The search (worker/content/search.ts) also finds order numbers and customers. No photo has one yet.
DROP TRIGGER content_search_inserted;
--> statement-breakpoint
DROP TRIGGER content_search_updated;
--> statement-breakpoint
CREATE TRIGGER content_search_inserted AFTER INSERT ON ar_content BEGIN
  INSERT INTO content_search (rowid, company, text)
    VALUES (new.rowid, substr(new.company_id, 1, 8), new.search_text || char(10) || new.search_order);
END;
--> statement-breakpoint
CREATE TRIGGER content_search_updated AFTER UPDATE OF company_id, search_text, search_order ON ar_content
WHEN old.company_id <> new.company_id OR old.search_text <> new.search_text OR old.search_order <> new.search_order
BEGIN
  UPDATE content_search SET company = substr(new.company_id, 1, 8), text = new.search_text || char(10) || new.search_order
    WHERE rowid = new.rowid;
END;

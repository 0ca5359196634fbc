-- Until accounts exist, everything belongs to one company with one project.
INSERT INTO `companies` (`id`, `name`, `slug`, `storage_connection_id`, `storage_path`, `created_at`, `updated_at`)
VALUES ('00000000-0000-4000-8000-000000000001', 'First company', 'first', NULL, 'companies/first', unixepoch() * 1000, unixepoch() * 1000);
--> statement-breakpoint
INSERT INTO `projects` (`id`, `company_id`, `name`, `created_at`, `updated_at`)
VALUES ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', 'First project', unixepoch() * 1000, unixepoch() * 1000);

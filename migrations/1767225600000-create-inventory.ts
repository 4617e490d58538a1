import type { MigrationInterface, QueryRunner } from "typeorm"

/** Sites, devices and what belongs to them; the users and the jobs around them. */
export class CreateInventory1767225600000 implements MigrationInterface {
  readonly name = "CreateInventory1767225600000"

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(SCHEMAS)
    await queryRunner.query(USERS)
    await queryRunner.query(EXTRAS)
    await queryRunner.query(DCIM)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP SCHEMA dcim, ipam, extras, users CASCADE`)
  }
}

const SCHEMAS = `
CREATE SCHEMA users;
CREATE SCHEMA extras;
CREATE SCHEMA ipam;
CREATE SCHEMA dcim;
`

const USERS = `
CREATE TABLE users."user" (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  username varchar(150) NOT NULL UNIQUE,
  email varchar(254),
  password varchar(128),
  "apiToken" varchar(64),
  "isActive" boolean NOT NULL DEFAULT true,
  preferences jsonb,
  "lastLogin" timestamptz,
  "dateJoined" timestamptz NOT NULL DEFAULT now()
);
`

const EXTRAS = `
CREATE TABLE extras.tag (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name varchar(100) NOT NULL UNIQUE,
  color char(6) NOT NULL DEFAULT '9e9e9e'
);
CREATE TABLE extras.job (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name varchar(100) NOT NULL UNIQUE,
  enabled boolean NOT NULL DEFAULT true,
  kind varchar NOT NULL,
  crontab varchar(100),
  "startTime" timestamptz,
  "keywordArguments" text,
  "totalRunCount" integer DEFAULT 0,
  "approvedAt" timestamptz,
  "userId" uuid REFERENCES users."user" ON DELETE SET NULL,
  "contentTypes" text
);
CREATE INDEX ON extras.job (kind);
`

const DCIM = `
CREATE TYPE dcim.site_status_enum AS ENUM ('planned', 'active', 'retired');
CREATE TABLE dcim.site (
  id serial PRIMARY KEY,
  name varchar(100) NOT NULL,
  slug varchar(100) NOT NULL UNIQUE,
  status dcim.site_status_enum NOT NULL DEFAULT 'active',
  "addressStreet" varchar(200),
  "addressCity" varchar(100),
  "addressCountry" char(2),
  asn bigint,
  latitude numeric(9, 6),
  contacts text,
  "openedOn" date,
  "createdAt" timestamptz NOT NULL DEFAULT now(),
  "updatedAt" timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL
);
CREATE TYPE dcim.device_status_enum AS ENUM ('planned', 'staged', 'active', 'failed', 'retired');
CREATE TABLE dcim.device (
  id serial PRIMARY KEY,
  name varchar(64) NOT NULL,
  serial varchar(50) UNIQUE,
  status dcim.device_status_enum NOT NULL DEFAULT 'planned',
  position smallint,
  price numeric(12, 2),
  meta jsonb NOT NULL DEFAULT '{}',
  comments text,
  "siteId" integer REFERENCES dcim.site ON DELETE SET NULL,
  "primaryAddressId" uuid UNIQUE,
  "createdAt" timestamptz NOT NULL DEFAULT now(),
  "updatedAt" timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL
);
CREATE TABLE dcim.interface (
  id serial PRIMARY KEY,
  name varchar(64) NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  mtu integer,
  "macAddress" macaddr,
  speed bigint,
  "deviceId" integer NOT NULL REFERENCES dcim.device ON DELETE CASCADE,
  "lagId" integer REFERENCES dcim.interface ON DELETE SET NULL,
  UNIQUE ("deviceId", name)
);
CREATE TABLE ipam.ip_address (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  address inet NOT NULL UNIQUE,
  dns_name varchar(255) NOT NULL DEFAULT '',
  aliases text[] NOT NULL DEFAULT '{}',
  "interfaceId" integer REFERENCES dcim.interface ON DELETE SET NULL,
  "deletedAt" timestamptz
);
ALTER TABLE dcim.device ADD FOREIGN KEY ("primaryAddressId") REFERENCES ipam.ip_address ON DELETE SET NULL;
CREATE TABLE dcim.device_tag (
  "deviceId" integer NOT NULL REFERENCES dcim.device ON UPDATE CASCADE ON DELETE CASCADE,
  "tagId" uuid NOT NULL REFERENCES extras.tag ON UPDATE CASCADE ON DELETE CASCADE,
  PRIMARY KEY ("deviceId", "tagId")
);
CREATE INDEX ON dcim.device_tag ("deviceId");
CREATE INDEX ON dcim.device_tag ("tagId");
`

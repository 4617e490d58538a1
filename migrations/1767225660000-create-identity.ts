import type { MigrationInterface, QueryRunner } from "typeorm"

/** Groups, projects and roles, and who has which. */
export class CreateIdentity1767225660000 implements MigrationInterface {
  readonly name = "CreateIdentity1767225660000"

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE SCHEMA identity`)
    await queryRunner.query(NOUNS)
    await queryRunner.query(ASSIGNMENTS)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP SCHEMA identity CASCADE`)
  }
}

const NOUNS = `
CREATE TABLE identity."group" (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name varchar(64) NOT NULL UNIQUE,
  description text
);
CREATE TABLE identity.group_member (
  "groupId" uuid NOT NULL REFERENCES identity."group" ON UPDATE CASCADE ON DELETE CASCADE,
  "userId" uuid NOT NULL REFERENCES users."user" ON UPDATE CASCADE ON DELETE CASCADE,
  PRIMARY KEY ("groupId", "userId")
);
CREATE INDEX ON identity.group_member ("groupId");
CREATE INDEX ON identity.group_member ("userId");
CREATE TABLE identity.project (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name varchar(64) NOT NULL UNIQUE,
  description text,
  enabled boolean NOT NULL DEFAULT true,
  options text,
  "parentId" uuid REFERENCES identity.project,
  "createdAt" timestamptz NOT NULL DEFAULT now(),
  "deletedAt" timestamptz
);
CREATE TABLE identity.region (
  id varchar(255) PRIMARY KEY,
  description text NOT NULL DEFAULT '',
  "parentId" varchar(255) REFERENCES identity.region,
  "updatedAt" timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE identity.role (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name varchar(255) NOT NULL UNIQUE,
  description text,
  "createdAt" timestamptz NOT NULL DEFAULT now()
);
`

const ASSIGNMENTS = `
CREATE TABLE identity.role_assignment (
  "userId" uuid NOT NULL REFERENCES users."user" ON DELETE CASCADE,
  "projectId" uuid NOT NULL REFERENCES identity.project ON DELETE CASCADE,
  "roleId" uuid NOT NULL REFERENCES identity.role ON DELETE CASCADE,
  inherited boolean NOT NULL DEFAULT false,
  "createdAt" timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY ("userId", "projectId", "roleId")
);
CREATE TABLE identity.trust (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  "trustorUserId" uuid NOT NULL REFERENCES users."user",
  "trusteeUserId" uuid NOT NULL REFERENCES users."user",
  impersonation boolean NOT NULL DEFAULT false,
  "remainingUses" integer,
  "expiresAt" timestamp(3),
  "deletedAt" timestamptz,
  project_id uuid REFERENCES identity.project
);
CREATE TABLE identity.trust_role (
  "trustId" uuid NOT NULL REFERENCES identity.trust ON UPDATE CASCADE ON DELETE CASCADE,
  "roleId" uuid NOT NULL REFERENCES identity.role ON UPDATE CASCADE ON DELETE CASCADE,
  PRIMARY KEY ("trustId", "roleId")
);
CREATE INDEX ON identity.trust_role ("trustId");
CREATE INDEX ON identity.trust_role ("roleId");
`

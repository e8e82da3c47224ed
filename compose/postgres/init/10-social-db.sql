-- PostgreSQL runs this once, when its volume is still empty. The database of
-- POSTGRES_DB (users_db) is there already; social-service has one of its own.
CREATE DATABASE social_db;

"""Serve FastAPI-Users as its documentation sets it up: SQLAlchemy on asyncpg, database tokens sent as Bearer.

Runs in an environment of its own (requirements/peer.lock). Passwords are hashed at Vestibule's cost, and not at the
higher default of FastAPI-Users, so that a sign-in compares the servers and not the settings.
"""

import os
import uuid  # noqa: TID251  # its own type of key; nothing random is made here
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import SQLAlchemyAccessTokenDatabase, SQLAlchemyBaseAccessTokenTableUUID
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

_iterations, _memory_kib, _lanes = map(int, os.environ["BENCH_ARGON2"].split())
_PASSWORDS = PasswordHelper(
    PasswordHash((Argon2Hasher(time_cost=_iterations, memory_cost=_memory_kib, parallelism=_lanes),))
)
_engine = create_async_engine(os.environ["BENCH_DATABASE"], pool_size=int(os.environ["BENCH_POOL"]), max_overflow=0)
_sessions = async_sessionmaker(_engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The base class of the tables."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """The table of users."""


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    """The table of access tokens."""


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    """The default manager."""


async def _session() -> AsyncIterator[AsyncSession]:
    async with _sessions() as session:
        yield session


_Session = Annotated[AsyncSession, Depends(_session)]


async def _manager(session: _Session) -> AsyncIterator[UserManager]:
    yield UserManager(SQLAlchemyUserDatabase(session, User), _PASSWORDS)


def _strategy(session: _Session) -> DatabaseStrategy[User, uuid.UUID, AccessToken]:
    return DatabaseStrategy(SQLAlchemyAccessTokenDatabase(session, AccessToken), lifetime_seconds=3600)


@asynccontextmanager
async def _tables(_app: Any) -> AsyncIterator[None]:
    async with _engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


_backend = AuthenticationBackend("database", BearerTransport("auth/login"), _strategy)
_users = FastAPIUsers[User, uuid.UUID](_manager, [_backend])
application = FastAPI(lifespan=_tables)
application.include_router(_users.get_auth_router(_backend), prefix="/auth")
application.include_router(_users.get_register_router(schemas.BaseUser[uuid.UUID], schemas.BaseUserCreate))
application.include_router(
    _users.get_users_router(schemas.BaseUser[uuid.UUID], schemas.BaseUserUpdate), prefix="/users"
)

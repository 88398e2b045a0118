"""Run the migrations on the connection and in the transaction that `migrate` hands over (Alembic's entry point)."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="vestibule_schema",
    render_as_batch=True,
)
context.run_migrations()

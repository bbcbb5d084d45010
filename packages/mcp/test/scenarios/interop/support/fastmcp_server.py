"""A server written with FastMCP: a tool that answers, one that reports progress, one that asks, one that fails."""

from dataclasses import dataclass

from fastmcp import Context, FastMCP

mcp = FastMCP("fastmcp")


@mcp.tool
def add(a: int, b: int) -> int:
    return a + b


@mcp.tool
async def slow(ctx: Context) -> str:
    await ctx.report_progress(1, 2)
    await ctx.report_progress(2, 2)
    return "slow"


@dataclass
class Name:
    name: str


@mcp.tool
async def ask(ctx: Context) -> str:
    answer = await ctx.elicit("What is your name?", response_type=Name)
    return f"Hello, {answer.data.name}!" if answer.action == "accept" else answer.action


@mcp.tool
def broken() -> str:
    raise ValueError("it broke")


mcp.run(show_banner=False)

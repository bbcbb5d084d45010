"""FastMCP's client against a running service: prints one JSON object of what it saw.

usage: fastmcp_client.py http URL TOKEN MODE | stdio NODE BIN DATA MODE
"""

import asyncio
import json
import sys

import fastmcp
from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport

try:
    # over HTTP its requests of tasks lack the header Mcp-Name, which a server has to refuse (seen with 4.1.4)
    if sys.argv[1] == "http":
        raise ImportError
    from fastmcp_tasks import call_tool_task
except ImportError:
    call_tool_task = None


def transport():
    if sys.argv[1] == "http":
        url, token = sys.argv[2:4]
        return StreamableHttpTransport(url, headers={"authorization": f"Bearer {token}"})
    node, bin_file, data = sys.argv[2:5]
    return StdioTransport(command=node, args=[bin_file, "mcp", "--data", data], keep_alive=False)


async def elicit(message, response_type, params, context):
    return {"confirm": True}


async def in_tasks(client):
    """The same agents as background tasks, which only 2026-07-28 has here."""
    slow = await call_tool_task(client, "slow_compute", {"seconds": 0.4, "label": "task"})
    asking = await call_tool_task(client, "confirm_delete", {"filename": "b.txt"})
    endless = await call_tool_task(client, "slow_compute", {"seconds": 60})
    await endless.cancel()
    return {
        "slow": (await slow.result()).content[0].text,
        "asked": (await asking.result()).content[0].text,
        "cancelled": (await endless.wait(state="cancelled")).status,
    }


async def main():
    seen = {"fastmcp": fastmcp.__version__, "progress": []}

    async def progress(done, total, message):
        seen["progress"].append(done)

    async with Client(transport(), elicitation_handler=elicit, mode=sys.argv[-1]) as client:

        async def text(name, arguments, **options):
            return (await client.call_tool(name, arguments, **options)).content[0].text

        seen["revision"] = client.protocol_version
        seen["tools"] = len(await client.list_tools())
        seen["sync"] = await text("greet", {"name": "Ada"})
        seen["slow"] = await text("slow_compute", {"seconds": 0.4, "label": "six"})
        await text("test_tool_with_progress", {}, progress_handler=progress)
        seen["asked"] = await text("confirm_delete", {"filename": "a.txt"})
        seen["resource"] = (await client.read_resource("test://static-text"))[0].text
        seen["prompt"] = (await client.get_prompt("test_simple_prompt")).messages[0].content.text
        if call_tool_task is not None and seen["revision"] == "2026-07-28":
            seen["tasks"] = await in_tasks(client)
    print(json.dumps(seen))


asyncio.run(main())

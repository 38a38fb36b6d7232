"""Which test shows what becomes of each known fault of delivery on Discord.

`test_faults.py` shows it at `lorekeeper serve`, the others at the real app, desk and inbox.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

DELIVERY = Path(__file__).parents[4] / "shared" / "data" / "trust" / "delivery" / "faults.jsonl"

SERVE, BLOCKED, DESK, ACCESS = "test_faults", "test_faults_blocked", "test_faults_desk", "test_access"

# Discord repeats no event to a connection that is up, so a repetition by a timer is one from another session;
# a mention is one event there, which can come over the gateway and be read up besides.
FAULTS: dict[str, tuple[str, str]] = {
    "dup_same_event": (SERVE, "test_a_message_told_again_is_answered_once"),
    "dup_retry_1": (SERVE, "test_a_message_told_again_is_answered_once"),
    "dup_retry_5min": (SERVE, "test_a_message_told_again_is_answered_once"),
    "dup_after_restart": (DESK, "test_a_restart_answers_nothing_again"),
    "dup_two_replicas": (DESK, "test_two_replicas_answer_once"),
    "dup_crash_between_post_and_mark": (DESK, "test_a_crash_between_post_and_mark_doubles_nothing"),
    "out_of_order": (DESK, "test_an_edit_before_its_message_counts"),
    "edit": (DESK, "test_an_edit_while_the_answer_is_computed_counts"),
    "app_mention_and_message": (DESK, "test_a_message_that_is_heard_and_read_up_is_one_question"),
    "long_text": (DESK, "test_a_very_long_answer_is_shown"),
    "5xx_after_accept": (DESK, "test_a_reply_to_a_message_that_is_lost_doubles_nothing"),
    "not_in_channel": (DESK, "test_a_missing_permission_ends_the_turn"),
    "zombie_socket": (DESK, "test_a_zombie_connection_is_left"),
    "gateway_op7": (DESK, "test_what_comes_in_a_break_is_answered"),
    "gateway_op9_false": (DESK, "test_what_comes_in_a_break_is_answered"),
    "event_loop_block": (BLOCKED, "test_a_handler_that_blocks_the_event_loop_loses_nothing"),
    "private_channel": (ACCESS, "test_a_private_channels_source_is_used_there_and_nowhere_else"),
}


@pytest.mark.trust
@pytest.mark.skipif(not DELIVERY.is_file(), reason="../shared/data is absent")
def test_every_fault_of_delivery_is_in_the_table() -> None:
    """No known fault of delivery is left out, and none is made up."""
    lines = DELIVERY.read_text("utf-8").splitlines()
    assert {json.loads(line)["fault"] for line in lines if line.strip()} == FAULTS.keys()


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_a_test(fault: str) -> None:
    """The test that a fault names is there."""
    module, test = FAULTS[fault]
    assert callable(getattr(importlib.import_module(f"{__package__}.{module}"), test))

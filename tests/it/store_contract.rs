//! The contract of the record: what the doc comments of `port::store` promise, run on every adapter.
//! A new adapter is one `Room` and one line at the end of this file.

mod activities;
mod approvals;
mod carrying;
mod concurrency;
mod copies;
mod deliveries;
mod history;
mod look;
mod passes;
mod postgres;
mod proposals;
mod reports;
mod sharing;
mod sqlite;
mod sqlite_disk;
mod superseding;
mod two_replicas;
mod upgrading;
mod versions;

use std::sync::Arc;

use meshwright::port::store::Store;

/// A place for one record.
pub trait Room: Sized {
    /// An empty one; `None` where the database is not installed, which is said loudly.
    async fn new() -> Option<Self>;

    /// Opens the record; if it is open, it is closed before, as when the daemon starts again.
    async fn open(&self) -> Arc<dyn Store>;
}

/// Names every contract once; `run_on!` makes a test of each for an adapter.
macro_rules! contracts {
    ($($module:ident::$contract:ident,)+) => {
        macro_rules! run_on {
            ($adapter:ident, $room:path) => {
                mod $adapter {
                    use super::Room;
                    $(
                        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                        async fn $contract() {
                            if let Some(room) = <$room>::new().await {
                                super::$module::$contract(&room).await;
                            }
                        }
                    )+
                }
            };
        }
    };
}

contracts! {
    sharing::wakes_of_a_waiting_target_are_one,
    sharing::wakes_during_a_look_cause_exactly_one_more,
    sharing::what_somebody_waits_for_comes_first_and_a_better_wake_moves_it,
    sharing::sources_take_turns_however_many_proposals_one_has,
    sharing::of_one_source_one_proposal_is_looked_at_at_a_time,
    sharing::a_look_whose_lease_is_over_is_taken_over_and_the_first_changes_nothing,
    sharing::only_who_waits_for_it_ends_the_pause_after_a_failure,
    sharing::a_look_that_is_handed_back_waits_as_before,
    sharing::a_delivery_brings_its_wakes_once,
    sharing::a_name_is_leased_to_one_until_its_time_is_over,
    sharing::replicas_know_who_is_there,
    sharing::a_container_whose_lease_is_over_is_taken_over,
    sharing::a_container_that_is_handed_back_is_taken_over_at_once,
    sharing::what_is_written_under_an_old_lease_is_fenced,
    sharing::what_was_worked_out_before_a_change_is_not_recorded,
    sharing::what_changes_at_a_stage_is_told_however_often_it_changes,
    sharing::each_matter_of_a_source_has_its_own_standing,
    sharing::interruptions_are_counted_apart_from_failures,
    sharing::bells_are_heard_by_all_who_listen,
    passes::a_source_is_not_there_before_it_is_looked_at,
    passes::a_pass_is_read_back_as_it_was_recorded,
    passes::the_same_plan_twice_changes_nothing,
    passes::an_empty_plan_moves_the_source_and_not_its_sequence,
    passes::going_back_with_an_empty_plan_is_recorded_again,
    passes::a_plan_that_was_made_before_another_was_recorded_is_not_recorded,
    passes::only_a_complete_pass_forgets_what_it_does_not_name,
    passes::descriptors_are_found_by_the_files_they_read,
    passes::only_errors_stand,
    passes::findings_of_a_descriptor_are_replaced_when_it_is_read_again,
    passes::a_condition_touches_nothing_else,
    passes::text_is_kept_as_it_came,
    versions::all_majors_of_a_name_are_found_by_one_of_them,
    versions::the_latest_version_is_the_one_recorded_last,
    versions::content_changes_until_it_is_released,
    versions::the_same_content_keeps_the_commit_with_which_it_came,
    versions::a_product_is_retired_and_comes_back,
    versions::a_retired_product_comes_back_with_its_descriptor_alone,
    versions::a_moved_descriptor_moves_its_product,
    versions::a_product_belongs_to_the_source_that_was_recorded_first_until_it_lets_go,
    versions::numbers_are_kept_to_the_last_digit,
    versions::long_lists_of_names_are_answered,
    superseding::waiting_activities_of_the_same_container_are_superseded,
    superseding::running_activities_are_not_superseded,
    superseding::content_that_is_replaced_while_it_is_rolled_out_is_not_released,
    superseding::activities_of_a_retired_product_are_superseded_by_nothing,
    activities::activities_come_oldest_plan_first_in_the_plans_order,
    activities::a_container_is_held_by_one_activity_of_one_holder,
    activities::tokens_grow_over_restarts,
    activities::what_ended_cannot_be_claimed,
    activities::an_older_token_is_fenced_and_writes_nothing,
    activities::an_event_that_cannot_follow_writes_nothing,
    activities::success_records_what_runs_and_releases_the_version,
    activities::failure_and_refusal_free_the_container,
    activities::what_ended_badly_troubles_where_something_else_runs,
    activities::only_activities_that_never_begin_need_no_token,
    activities::state_and_events_outlive_a_restart,
    activities::an_unknown_activity_is_told_apart,
    activities::logs_are_cut_in_length_and_in_width,
    reports::the_oldest_due_report_comes_first,
    reports::wanting_the_same_changes_nothing,
    reports::acknowledging_an_older_edition_leaves_the_newer,
    reports::a_failure_waits_until_it_is_due,
    reports::what_was_given_up_is_tried_when_it_is_wanted_anew,
    reports::a_state_that_keeps_changing_keeps_its_turn,
    reports::what_is_more_than_a_status_is_kept_whole_under_its_own_key,
    reports::statuses_come_before_checks_and_comments,
    reports::the_forges_own_id_outlives_editions,
    reports::a_limit_holds_up_its_account_alone_and_is_nobodys_failure,
    reports::too_many_of_a_sort_hold_up_no_other_sort,
    reports::what_we_may_not_write_is_a_condition_until_it_was_written,
    reports::what_is_shown_is_looked_at_ever_more_rarely,
    reports::what_was_lost_is_wanted_again,
    reports::reports_of_passes_are_wanted_with_them,
    deliveries::a_delivery_is_recorded_once_and_counted_again,
    deliveries::ids_are_those_of_their_forge,
    deliveries::a_push_that_begins_elsewhere_is_a_gap,
    deliveries::before_the_first_push_the_record_says_where_a_branch_stands,
    deliveries::a_command_is_asked_once_whatever_brings_it,
    deliveries::a_command_is_open_until_it_is_done_once,
    deliveries::a_button_counts_again_once_it_was_answered_and_not_for_ever,
    deliveries::what_became_of_commands_is_told_by_pull_request_and_by_comment,
    deliveries::the_oldest_are_forgotten_and_open_commands_are_not,
    deliveries::many_at_once_are_all_recorded_and_outlive_a_restart,
    proposals::a_proposal_is_read_back_as_it_was_recorded,
    proposals::a_closed_proposal_is_open_no_more_and_the_newest_are_kept,
    proposals::a_proposal_can_be_marked_to_be_assessed_again,
    proposals::who_asked_again_sees_the_checks_written_again,
    proposals::what_was_never_written_of_an_old_head_is_given_up,
    proposals::a_late_assessment_takes_back_nothing_that_the_branch_says,
    proposals::the_check_of_a_head_that_became_the_branchs_is_the_branchs,
    approvals::an_approval_is_read_back_and_counts_from_the_first_time,
    approvals::a_request_is_decided_once,
    approvals::holds_end_by_plan_or_all_at_once,
    approvals::what_is_rejected_never_begins_and_what_has_begun_goes_on,
    approvals::what_is_to_be_tried_again_is_looked_at_until_it_was,
    approvals::what_is_cancelled_never_begins_or_is_to_be_stopped,
    history::what_is_old_goes_and_the_present_stays,
    history::what_is_beyond_the_number_goes,
    history::what_something_unfinished_may_wait_for_stays,
    history::a_look_is_known_as_long_as_something_is_shown_on_its_commit,
    look::rows_say_what_was_recorded,
    look::activities_are_listed_newest_first_with_their_reasons,
    look::every_decision_can_be_traced,
    concurrency::one_of_eight_gets_the_container,
    concurrency::eight_roll_out_at_once_while_others_look,
}

run_on!(on_sqlite, super::sqlite::SqliteRoom);
run_on!(on_postgres, super::postgres::PostgresRoom);

"""Names that vulture takes for unused. A comment above each group says who uses them."""

# ruff: noqa: B018, F821

# Django, Celery, aiosmtpd, logging and Anymail find these by name, some through the settings.
_.beat_schedule
_.stealth_options
_.task_queues
_.task_default_queue
_.task_routes
_.tick
_.tell_staff
_.trial_emails
_.requested_by
_.RoleBackend
_.invitation_language
_.read_mailbox
_.max_num
_.get_search_results
_.pre_save
_.Matches
_.lookup_name
_.prepare_rhs
_.as_sql
_.as_postgresql
_.get_inlines
_.DeskSite
_.index_template
_.extra
_.get_extra
_.get_max_num
_.handle_DATA
_.csrf_failure
_.WithoutPostedDataFilter
_.DiscreetDomainMiddleware
_.no_body_for_head
_.no_nul
_.small_public_forms
_.field_classes
_.add_form
_.first_name
_.last_name
_.streaming_content
_.KeyValueFormatter
_.PrivacyFilter
_.OutageFilter
_.exc_text
_._has_been_logged
_.track_clicks
_.track_opens
_.esp_extra
_.merge_headers
_.merge_data
_.merge_metadata

# `manage.py keys` chooses the method by its subcommand.
_._new
_._rotate
_._use
_._retire
_._recover

# Templates use these.
_.is_selected
_.alignment
_.status_mark
_.body_marker
_.read_more_label
_.small_print
_.reader_frame
_.warned_domain
_.stamp
_.language_rows
_.monthly
_.trend_fields
_.is_current
_.is_special
_.newsletter_name
_.week_name
_.has_errors
_.hairline
_.muted
_.improved
_.unchanged
_.worsened
_.on_accent
_.body_text
_.closing
_.introduction_direction
_.topic_slug
_.shows_topic
_.logo_url
_.colours
_.challenge_url
_.is_embedded
_.website

# Columns that are written, and read only by templates, the desk's lists, queries and constraints.
_.delivered_on
_.singleton
_.checked_at
_.warned
_.blocks_reported
_.lifted_by
_.engaged_at
_.snapshot_at
_.approved_by
_.mailbox_provider
_.started_by
_.finished_at
_.lease_until
_.claimed_by
_.alive_at
_.suppresses
_.resolved_at
_.emailed_at
_.pushed_at
_.restored_at
_.deferred_by
_.predecessor
_.added_at
_.approved_at
_.is_sample
_.received_at

# Choices: an editor, a reader or an imported document picks them.
_.REVIEW
_.IMPROVED
_.UNCHANGED
_.WORSENED
_.WEEKS
_.CURRENT
_.LINKED
_.TUESDAY
_.WEDNESDAY
_.THURSDAY
_.FRIDAY
_.SATURDAY
_.SUNDAY
_.TOO_MUCH
_.NOT_FOR_ME
_.LANGUAGE
_.NEVER_ASKED
_.SAFETY
_.ELSEWHERE
_.DEFAULT

# The next release needs these: the import of subscriber lists, and lifting a suppression.
_.IMPORT

# Tests script the in-memory transport with these.
_.script_calls
_.clear_script
_.closed

# Django calls or reads these: upload handlers, storages, form fields and widgets, list filters.
_.AtomicFileSystemStorage
_.LimitedMemoryUploadHandler
_.receive_data_chunk
_.file_complete
_.default_error_messages
_.attr_class
_.parameter_name
_.lookups
_.model_admin
_.get_changelist
_.get_search_results
_.css
_.js

# Templates read these.
_.picture_count
# html.parser calls these, and the rich-text editor's package looks the function up by its path.
_.handle_starttag
_.handle_endtag
_.handle_data
_.without_cleaning
# Templates and querysets read these of an article's page.
_.their_html
_.my_html
_.opened_version
_.is_newer
_.is_open
_.claimed_at
# Only the templates of the page read these.
_.subject_length
_.is_expanded
_.has_fact_errors
_.tone
# Only the templates of the pages that list issues, and of a mailing, read these.
_.break_url
_.minutes_left

# Django's admin and auth forms read these, and Django loads the middleware by its path.
_.field_classes
_.add_form
_.first_name
_.last_name
_.small_public_forms

# The settings name these classes, and allauth and Django call what they override.
StaffAccountAdapter
SecondFactorAdapter
ThrottledBackend
ConfirmCodeForm
FirstCodeForm
AddPasskeyForm
RenamePasskeyForm
SessionMiddleware
SecondFactorMiddleware
hooks
_.is_open_for_signup
_.get_login_stages
_.pre_login
_.post_login
_.add_message
_.get_totp_label
_._get_user_identifier
_._get_site_name
_.generate_authenticator_name
_.confirm_login_allowed
_.template_name
_.form_valid

# Columns that only queries name.
_.used_at
_.wait_until
_.changed_at

# The form for accounts calls this.
invite
